/** A half-open range of keys as etcd understands it. An `end` of one zero byte means every key from `start` on. */
export interface KeyRange {
  start: Buffer;
  end: Buffer;
}

const ZERO = Buffer.from([0]);

/** The range of all keys that start with `prefix`; the empty prefix gives every key. */
export function prefixRange(prefix: string): KeyRange {
  if (prefix === '') return { start: ZERO, end: ZERO };
  const start = Buffer.from(prefix);
  return { start, end: prefixEnd(start) };
}

/** The first key after all keys that start with these bytes. */
export function prefixEnd(prefix: Uint8Array): Buffer {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return ZERO;
  const end = Buffer.from(prefix.subarray(0, length));
  end[length - 1]! += 1;
  return end;
}

/** The prefix that gives this range, or undefined when no prefix does. */
export function rangePrefix(start: Uint8Array, end: Uint8Array): string | undefined {
  const first = Buffer.from(start);
  if (ZERO.equals(end) && (first.length === 0 || ZERO.equals(first))) return '';
  return prefixEnd(first).equals(end) ? first.toString() : undefined;
}

/** The first key after `key`: where the page after it begins. */
export function afterKey(key: string): Buffer {
  return Buffer.concat([Buffer.from(key), ZERO]);
}
