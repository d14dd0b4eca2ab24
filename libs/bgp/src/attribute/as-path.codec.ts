import type { AsPathSegment } from './path-attributes.ts';

/** Octets of an AS number on the wire: 2 towards peers without four-octet AS numbers (RFC 6793), 4 otherwise. */
export type AsWidth = 2 | 4;

/** Segment types, RFC 4271 §4.3 (b) and RFC 5065 §3. */
const TYPES = { set: 1, sequence: 2, 'confed-sequence': 3, 'confed-set': 4 } as const;
const NAMES: readonly (AsPathSegment['type'] | undefined)[] = [undefined, 'set', 'sequence', 'confed-sequence', 'confed-set'];
const FIRST_CONFEDERATION = TYPES['confed-sequence'];
const MAX_ASNS = 255;
/** Stands for a number that does not fit into two octets, RFC 6793 §4.2.2. */
export const AS_TRANS = 23_456;

/**
 * Whether the value of an AS_PATH is one: known segment types, none of them empty (RFC 7606 §7.2), no AS 0 (RFC 7607 §2), nothing left over.
 * @param external the peer is external: confederation segments are an error (RFC 5065 §5)
 */
export function isAsPath(value: Uint8Array, width: AsWidth, external: boolean): boolean {
  let at = 0;
  while (at + 2 <= value.length) {
    const type = value[at]!;
    const count = value[at + 1]!;
    if (NAMES[type] === undefined || count === 0 || (external && type >= FIRST_CONFEDERATION)) return false;
    const end = at + 2 + count * width;
    for (let asn = at + 2; asn < end && asn < value.length; asn += width) if (isZero(value, asn, width)) return false;
    at = end;
  }
  return at === value.length;
}

/** Whether the number of `width` octets at an offset is AS 0, which nobody has. */
export function isZero(value: Uint8Array, at: number, width: AsWidth): boolean {
  for (let i = at; i < at + width; i++) if (value[i] !== 0) return false;
  return true;
}

/** Reads the value of an AS_PATH that {@link isAsPath}. */
export function readAsPath(value: Uint8Array, width: AsWidth): AsPathSegment[] {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const segments: AsPathSegment[] = [];
  for (let at = 0; at < value.length; ) {
    const count = value[at + 1]!;
    const first = at + 2;
    const asns = Array.from({ length: count }, (_, i) => (width === 4 ? view.getUint32(first + 4 * i) : view.getUint16(first + 2 * i)));
    segments.push({ type: NAMES[value[at]!]!, asns });
    at = first + count * width;
  }
  return segments;
}

/** Writes the value of an AS_PATH. Segments of more than 255 numbers become several. Two octets: what does not fit is {@link AS_TRANS}. */
export function writeAsPath(segments: readonly AsPathSegment[], width: AsWidth): Uint8Array {
  const parts = segments.flatMap(inParts);
  const value = new Uint8Array(parts.reduce((sum, { asns }) => sum + 2 + asns.length * width, 0));
  let at = 0;
  for (const { type, asns } of parts) {
    value[at++] = TYPES[type];
    value[at++] = asns.length;
    for (const asn of asns) {
      const number = width === 4 || asn <= 0xffff ? asn : AS_TRANS;
      if (width === 4) {
        value[at++] = number >>> 24;
        value[at++] = number >>> 16;
      }
      value[at++] = number >>> 8;
      value[at++] = number;
    }
  }
  return value;
}

function inParts({ type, asns }: AsPathSegment): AsPathSegment[] {
  if (asns.length <= MAX_ASNS) return asns.length === 0 ? [] : [{ type, asns }];
  const parts: AsPathSegment[] = [];
  for (let from = 0; from < asns.length; from += MAX_ASNS) parts.push({ type, asns: asns.slice(from, from + MAX_ASNS) });
  return parts;
}

/** Length for best path: a set counts one (RFC 4271 §9.1.2.2 a), confederation segments nothing (RFC 5065 §5.3). */
export function asPathLength(segments: readonly AsPathSegment[]): number {
  return segments.reduce((sum, { type, asns }) => sum + (type === 'sequence' ? asns.length : type === 'set' ? 1 : 0), 0);
}

/** As people write it: `65001 65002 {65010,65011}`; confederation segments in parentheses. */
export function asPathText(segments: readonly AsPathSegment[]): string {
  const words: Record<AsPathSegment['type'], (asns: readonly number[]) => string> = {
    sequence: (asns) => asns.join(' '),
    set: (asns) => `{${asns.join(',')}}`,
    'confed-sequence': (asns) => `(${asns.join(' ')})`,
    'confed-set': (asns) => `({${asns.join(',')}})`,
  };
  return segments.map(({ type, asns }) => words[type](asns)).join(' ');
}
