import type { IdPool } from '@isthmus/core';

const ID_BYTES = 4;

/** A `__u32` map key. */
export function encodeId(id: number): Uint8Array {
  const bytes = new Uint8Array(ID_BYTES);
  new DataView(bytes.buffer).setUint32(0, id, true);
  return bytes;
}

/** The number in a `__u32` map key. */
export function decodeId(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, ID_BYTES).getUint32(0, true);
}

/**
 * Takes over the numbers that a pinned map gives: call it before anything asks the pool.
 * @param keyOf what the number stands for, in the table's words
 */
export function seedPool(pool: IdPool, entries: Iterable<readonly [Uint8Array, Uint8Array]>, keyOf: (value: Uint8Array) => string): void {
  for (const [key, value] of entries) pool.seed(keyOf(value), decodeId(key));
}
