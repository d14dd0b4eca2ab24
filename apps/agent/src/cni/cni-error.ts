import { CodedError, isCoded, messageOf } from '@isthmus/core';
import { AGENT_NOT_READY, CNI_REQUEST_INVALID, ENDPOINT_NOT_FOUND } from '../agent.errors.ts';

/** Error codes of the CNI specification §5 ("Error"), and ours from 100 on. */
export const CNI_CODE = {
  incompatibleVersion: 1,
  invalidEnvironment: 4,
  decodeFailure: 6,
  invalidConfig: 7,
  tryAgainLater: 11,
  unknownContainer: 3,
  notAvailable: 50,
  plugin: 100,
} as const;

/** An error as runtimes read it. The code of ours stands at the start of `details`, with what to do. */
export function cniError(version: string, error: unknown, code = codeOf(error)): object {
  const coded = error instanceof CodedError ? error : undefined;
  return {
    cniVersion: version,
    code,
    msg: coded ? `${coded.code}: ${coded.message}` : messageOf(error),
    details: coded ? coded.action : 'Look into the log of the agent.',
  };
}

function codeOf(error: unknown): number {
  if (isCoded(error, AGENT_NOT_READY)) return CNI_CODE.tryAgainLater;
  if (isCoded(error, ENDPOINT_NOT_FOUND)) return CNI_CODE.unknownContainer;
  if (isCoded(error, CNI_REQUEST_INVALID)) {
    if (error.object === 'config.cniVersion') return CNI_CODE.incompatibleVersion;
    return error.object?.startsWith('CNI_') ? CNI_CODE.invalidEnvironment : CNI_CODE.invalidConfig;
  }
  return CNI_CODE.plugin;
}
