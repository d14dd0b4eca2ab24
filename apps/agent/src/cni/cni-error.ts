import { CodedError, type ErrorCode, isCoded, messageOf } from '@isthmus/core';
import { NETNS_ENTER, NETNS_MISSING } from '@isthmus/datapath';
import { KV_OVERLOADED, KV_TIMEOUT, KV_UNREACHABLE } from '@isthmus/kvstore';
import { AGENT_NOT_READY, CNI_FIELD_UNSUPPORTED, ENDPOINT_NOT_FOUND } from '../agent.errors.ts';
import { POD_NETNS_OWN } from '../endpoint/pod-network.ts';
import { STATE_NOT_SAVED } from '../state/state-folder.ts';
import { CNI_CODE } from './cni-code.ts';
import { CniRequestInvalid } from './cni-request-invalid.ts';

/** Which of our errors is which of the specification's; all others are the plugin's own. */
const CODES: readonly (readonly [number, readonly ErrorCode[]])[] = [
  [CNI_CODE.unsupportedField, [CNI_FIELD_UNSUPPORTED]],
  // The container is gone: there is nothing to clean up.
  [CNI_CODE.unknownContainer, [ENDPOINT_NOT_FOUND, NETNS_MISSING]],
  [CNI_CODE.invalidEnvironment, [NETNS_ENTER, POD_NETNS_OWN]],
  // What passes by itself: a runtime that tries again may well succeed.
  [CNI_CODE.tryAgainLater, [AGENT_NOT_READY, STATE_NOT_SAVED, KV_UNREACHABLE, KV_TIMEOUT, KV_OVERLOADED]],
];

/** An error as runtimes read it: our own code stands at the start of `msg`, what to do in `details`. */
export function cniError(version: string, error: unknown, code: number = codeOf(error)): object {
  const coded = error instanceof CodedError ? error : undefined;
  return {
    cniVersion: version,
    code,
    msg: coded ? `${coded.code}: ${coded.message}` : messageOf(error),
    details: coded ? coded.action : 'Look into the log of the agent.',
  };
}

function codeOf(error: unknown): number {
  if (error instanceof CniRequestInvalid) return error.number;
  return CODES.find(([, kinds]) => kinds.some((kind) => isCoded(error, kind)))?.[0] ?? CNI_CODE.plugin;
}
