/** Text of canaries and heartbeats, and of creation times: RFC 3339 in UTC, whole seconds. */
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** Value of a canary or heartbeat written at `wallMs` (milliseconds since 1970). */
export function encodeTimestamp(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 19)}Z`;
}

/** An RFC 3339 time in the form that {@link encodeTimestamp} writes; undefined when it is none, or before 1970
 * (Go's zero time stands for "not set"). */
export function canonicalTime(text: string): string | undefined {
  if (text.length > 64 || !RFC3339.test(text)) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms) || ms < 0 || ms > Date.UTC(9999, 11, 31)) return undefined;
  return encodeTimestamp(ms);
}
