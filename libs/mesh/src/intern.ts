/** Strings up to this length are shared; longer ones seldom repeat. */
const MAX_LENGTH = 256;
/** Strings remembered before the pool starts again. Rows keep what they hold; only later ones share anew. */
const MAX_STRINGS = 65_536;

let pool = new Map<string, string>();

/**
 * One copy of a string that many rows repeat (namespaces, host addresses, labels).
 * The pool is bounded: a peer that sends a million different strings empties it now and then, no more.
 */
export function intern(text: string): string {
  if (text.length === 0 || text.length > MAX_LENGTH) return text;
  const known = pool.get(text);
  if (known !== undefined) return known;
  if (pool.size >= MAX_STRINGS) pool = new Map();
  pool.set(text, text);
  return text;
}
