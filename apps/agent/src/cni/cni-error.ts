import { CodedError, isCoded, messageOf } from '@isthmus/core';
import { KV_OVERLOADED, KV_TIMEOUT, KV_UNREACHABLE } from '@isthmus/kvstore';
import { AGENT_NOT_READY, CNI_REQUEST_INVALID, ENDPOINT_NOT_FOUND } from '../agent.errors.ts';
import { STATE_NOT_SAVED } from '../state/state-folder.ts';

/** Error codes of the CNI specification §5 ("Error"), and ours from 100 on. */
export const CNI_CODE = {
  incompatibleVersion: 1,
  unknownContainer: 3,
  invalidEnvironment: 4,
  invalidConfig: 7,
  tryAgainLater: 11,
  notAvailable: 50,
  plugin: 100,
} as const;

/** What passes by itself: a runtime that tries again may well succeed. */
const PASSING = [AGENT_NOT_READY, STATE_NOT_SAVED, KV_UNREACHABLE, KV_TIMEOUT, KV_OVERLOADED];

/** An error as runtimes read it: our own code stands at the start of `msg`, what to do in `details`. */
export function cniError(version: string, error: unknown, command?: unknown): object {
  const coded = error instanceof CodedError ? error : undefined;
  return {
    cniVersion: version,
    code: command === 'STATUS' && isCoded(error, AGENT_NOT_READY) ? CNI_CODE.notAvailable : codeOf(error),
    msg: coded ? `${coded.code}: ${coded.message}` : messageOf(error),
    details: coded ? coded.action : 'Look into the log of the agent.',
  };
}

function codeOf(error: unknown): number {
  if (PASSING.some((kind) => isCoded(error, kind))) return CNI_CODE.tryAgainLater;
  if (isCoded(error, ENDPOINT_NOT_FOUND)) return CNI_CODE.unknownContainer;
  if (isCoded(error, CNI_REQUEST_INVALID)) {
    if (error.object === 'config.cniVersion') return CNI_CODE.incompatibleVersion;
    return error.object?.startsWith('CNI_') ? CNI_CODE.invalidEnvironment : CNI_CODE.invalidConfig;
  }
  return CNI_CODE.plugin;
}
