import { AFI, type RoutedFamily, SAFI_UNICAST } from '../family/routed-family.ts';

const HEADER = 19;
const UPDATE = 2;

const SLAB = 131_072;
/** Messages are views into it, one behind the other: memory of its own for each would cost more than writing it. */
let slab = new Uint8Array(SLAB);
let used = 0;

/** A message of so many octets with its header, RFC 4271 §4.1. */
function begun(length: number): Uint8Array<ArrayBuffer> {
  if (used + length > SLAB) {
    slab = new Uint8Array(SLAB);
    used = 0;
  }
  const out = slab.subarray(used, used + length);
  used += length;
  out.fill(0xff, 0, 16);
  out[18] = UPDATE;
  return setU16(out, 16, length);
}

function setU16(out: Uint8Array<ArrayBuffer>, at: number, value: number): Uint8Array<ArrayBuffer> {
  out[at] = value >>> 8;
  out[at + 1] = value;
  return out;
}

/** Puts parts one behind the other from an octet on. */
function filled(out: Uint8Array<ArrayBuffer>, from: number, ...parts: ArrayLike<number>[]): Uint8Array {
  let at = from;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const NEXT_HOP = [0x40, 3, 4] as const;

/** Octets of an UPDATE that are not prefixes, at most: what {@link announcement} and {@link withdrawal} add. */
export function overhead(block: Uint8Array, nextHop: Uint8Array): number {
  return HEADER + 4 + block.length + 9 + nextHop.length;
}

/** An UPDATE that announces; IPv4 with an IPv4 next hop in the classic fields (RFC 4271 §4.3), all else in MP_REACH_NLRI (RFC 4760 §3). */
export function announcement(family: RoutedFamily, block: Uint8Array, nextHop: Uint8Array, nlri: Uint8Array): Uint8Array {
  if (family === 'ipv4' && nextHop.length === 4) {
    const out = begun(HEADER + 4 + block.length + 7 + nlri.length);
    return filled(setU16(out, HEADER + 2, block.length + 7), HEADER + 4, block, NEXT_HOP, nextHop, nlri);
  }
  const length = 5 + nextHop.length + nlri.length;
  const reach = [0x90, 14, length >>> 8, length & 255, 0, AFI[family], SAFI_UNICAST, nextHop.length];
  const out = begun(HEADER + 8 + length + block.length);
  return filled(setU16(out, HEADER + 2, 4 + length + block.length), HEADER + 4, reach, nextHop, [0], nlri, block);
}

/** An UPDATE that withdraws; without prefixes it is the End-of-RIB of RFC 4724 §2. */
export function withdrawal(family: RoutedFamily, nlri: Uint8Array): Uint8Array {
  if (family === 'ipv4') return filled(setU16(begun(HEADER + 4 + nlri.length), HEADER, nlri.length), HEADER + 2, nlri);
  const length = 3 + nlri.length;
  const unreach = [0x90, 15, length >>> 8, length & 255, 0, AFI[family], SAFI_UNICAST];
  return filled(setU16(begun(HEADER + 8 + length), HEADER + 2, 4 + length), HEADER + 4, unreach, nlri);
}
