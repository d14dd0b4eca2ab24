/** Why a session is not up, RFC 5880 §4.1: the place is the number on the wire. */
export const DIAGNOSTICS = [
  'none',
  'detection-time-expired',
  'echo-failed',
  'neighbor-signaled-down',
  'forwarding-plane-reset',
  'path-down',
  'concatenated-path-down',
  'administratively-down',
  'reverse-concatenated-path-down',
] as const;

/** One of {@link DIAGNOSTICS}. */
export type Diagnostic = (typeof DIAGNOSTICS)[number];

/** Name of a number from the wire; `reserved` for those that have none. */
export function diagnosticName(code: number): Diagnostic | 'reserved' {
  return DIAGNOSTICS[code] ?? 'reserved';
}
