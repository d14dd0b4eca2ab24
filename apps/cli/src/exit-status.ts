import { CodedError } from '@isthmus/core';

/** What the command's exit status says. Told in `isthmus --help`. */
export const EXIT = Object.freeze({
  ok: 0,
  failed: 1,
  usage: 2,
  notReady: 3,
  refused: 4,
  notFound: 5,
  interrupted: 130,
});

/** One of {@link EXIT}. */
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** Exit statuses in words, for help. */
export const EXIT_HELP: readonly (readonly [ExitStatus, string])[] = [
  [EXIT.ok, 'done'],
  [EXIT.failed, 'failed; the error says why'],
  [EXIT.usage, 'the command line is wrong'],
  [EXIT.notReady, 'not ready, not reachable, or not in time'],
  [EXIT.refused, 'refused: no right to do this, or two clusters that cannot be joined'],
  [EXIT.notFound, 'what was named does not exist'],
  [EXIT.interrupted, 'interrupted'],
];

const BY_CODE: Readonly<Record<string, ExitStatus>> = {
  CLI_USAGE: EXIT.usage,
  RESOURCE_KIND_UNKNOWN: EXIT.usage,
  CLI_NOT_READY: EXIT.notReady,
  CLI_AGENT_DOWN: EXIT.notReady,
  KV_UNREACHABLE: EXIT.notReady,
  KV_TIMEOUT: EXIT.notReady,
  KV_OVERLOADED: EXIT.notReady,
  JOIN_API_UNREACHABLE: EXIT.notReady,
  CA_CHANGE_WAITS: EXIT.notReady,
  WIREGUARD_ROTATION_BLOCKED: EXIT.notReady,
  WIREGUARD_ROTATION_WAITS: EXIT.notReady,
  CLI_ROTATION_TOO_SOON: EXIT.notReady,
  CLI_AGENT_DENIED: EXIT.refused,
  KV_UNAUTHENTICATED: EXIT.refused,
  KV_CERTIFICATE_EXPIRED: EXIT.refused,
  KV_PERMISSION: EXIT.refused,
  CA_PIN_MISMATCH: EXIT.refused,
  CLI_NOT_FOUND: EXIT.notFound,
  CLI_CONTEXT_UNKNOWN: EXIT.notFound,
  RESOURCE_NOT_FOUND: EXIT.notFound,
  API_NOT_FOUND: EXIT.notFound,
  JOIN_NOT_CONNECTED: EXIT.notFound,
  CLI_INTERRUPTED: EXIT.interrupted,
  // A refusal by name only: the fault lies with one of the programs, not with the caller's rights.
  JOIN_API_ANSWER: EXIT.failed,
  JOIN_REQUEST_INVALID: EXIT.failed,
  JOIN_NO_SUCH_CALL: EXIT.failed,
  JOIN_INTERNAL: EXIT.failed,
  JOIN_PEER_UNREADABLE: EXIT.failed,
};

/** Codes of the join API and of tokens that are not in {@link BY_CODE} are all refusals. */
const REFUSALS = /^(JOIN|TOKEN)_/;

/** The exit status that an error stands for. */
export function exitStatusOf(error: unknown): ExitStatus {
  if (error instanceof AggregateError) return exitStatusOf(error.errors[0]);
  if (!(error instanceof CodedError)) return EXIT.failed;
  return BY_CODE[error.code] ?? (REFUSALS.test(error.code) ? EXIT.refused : EXIT.failed);
}
