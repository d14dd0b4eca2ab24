/**
 * JSON exactly as Go's encoding/json writes it, so that a record of ours is byte for byte what Cilium would have written and an
 * unchanged record stays an unchanged value in etcd.
 */

/**
 * What can be written. A plain object is a Go struct: its fields in the order given, `undefined` ones left out (`omitempty`).
 * A Map is a Go map: its keys sorted by bytes.
 */
export type GoValue = string | number | boolean | null | undefined | readonly GoValue[] | ReadonlyMap<string, GoValue> | GoStruct;

/** Fields of a Go struct, in order. Names are ours, never input. */
export interface GoStruct {
  readonly [field: string]: GoValue;
}

/** The value as Go writes it: no spaces, `<`, `>`, `&`, U+2028 and U+2029 escaped, no end of line. */
export function goJson(value: GoValue): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return goString(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (value instanceof Map) return goMap(value);
  return goStruct(value as GoStruct);
}

function goMap(map: ReadonlyMap<string, GoValue>): string {
  const keys = [...map.keys()].sort(compareBytes);
  return `{${keys.map((key) => `${goString(key)}:${goJson(map.get(key))}`).join(',')}}`;
}

function goStruct(struct: GoStruct): string {
  const fields = Object.entries(struct).filter(([, value]) => value !== undefined);
  return `{${fields.map(([name, value]) => `${goString(name)}:${goJson(value)}`).join(',')}}`;
}

/** Characters that Go escapes and JSON.stringify does not: HTML's, and the two line ends of JavaScript. */
const EXTRA = /[<>&\u2028\u2029]/g;

/** Half a surrogate pair, which UTF-8 cannot carry, becomes U+FFFD, as it does when Go reads it. */
function goString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(EXTRA, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Order of the UTF-8 bytes of two strings, which is Go's order of strings. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = byteOrder(a.charCodeAt(i)) - byteOrder(b.charCodeAt(i));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** UTF-16 units sort as UTF-8 bytes do, but for surrogates: they stand for what comes after U+FFFF. */
function byteOrder(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
