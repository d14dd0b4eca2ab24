import { type RowField, type RowLayout, sameLayout } from './row-layout.ts';

/** Brings one row from a layout into another. Undefined: something in it does not fit there. */
export type RowConversion = (row: Uint8Array) => Uint8Array | undefined;

/**
 * How rows of one layout become rows of another: a field is found again by its name, a new one is zero, one that is gone is left out. A field may
 * grow, and shrink as long as what it holds fits. Undefined: a field of one name means two things, and nobody can tell what to do.
 */
export function rowConversion(from: RowLayout, to: RowLayout): RowConversion | undefined {
  if (sameLayout(from, to)) return (row) => row;
  const before = new Map(from.fields.map((field) => [field.path, field]));
  const pairs = to.fields.flatMap((field): [RowField, RowField][] => {
    const old = before.get(field.path);
    return old === undefined ? [] : [[old, field]];
  });
  if (pairs.some(([old, field]) => old.kind !== field.kind)) return undefined;
  return (row) => {
    const converted = new Uint8Array(to.size);
    return pairs.every((pair) => copyField(row, converted, pair)) ? converted : undefined;
  };
}

/** False when bytes that are not zero would be lost. */
function copyField(from: Uint8Array, to: Uint8Array, [old, field]: readonly [RowField, RowField]): boolean {
  const bytes = from.subarray(old.offset, old.offset + old.size);
  const extra = Math.max(0, old.size - field.size);
  // The most significant bytes of a big-endian number come first, of anything else last.
  const atFront = field.kind === 'big-endian';
  const [kept, dropped] = atFront
    ? [bytes.subarray(extra), bytes.subarray(0, extra)]
    : [bytes.subarray(0, old.size - extra), bytes.subarray(old.size - extra)];
  to.set(kept, field.offset + (atFront ? field.size - kept.length : 0));
  return dropped.every((byte) => byte === 0);
}
