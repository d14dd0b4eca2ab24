import { AFI, type RoutedFamily, SAFI_UNICAST } from '../family/routed-family.ts';

const HEADER = 19;
const UPDATE = 2;

function message(body: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  let length = HEADER;
  for (const part of body) length += part.length;
  const out = new Uint8Array(length);
  out.fill(0xff, 0, 16);
  out.set([length >>> 8, length & 255, UPDATE], 16);
  let at = HEADER;
  for (const part of body) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function u16(value: number): number[] {
  return [value >>> 8, value & 255];
}

/** Octets of an UPDATE that are not prefixes, at most: what {@link announcement} and {@link withdrawal} add. */
export function overhead(block: Uint8Array, nextHop: Uint8Array): number {
  return HEADER + 4 + block.length + 9 + nextHop.length;
}

/** An UPDATE that announces; IPv4 with an IPv4 next hop in the classic fields (RFC 4271 §4.3), all else in MP_REACH_NLRI (RFC 4760 §3). */
export function announcement(family: RoutedFamily, block: Uint8Array, nextHop: Uint8Array, nlri: Uint8Array): Uint8Array {
  if (family === 'ipv4' && nextHop.length === 4) {
    return message([[0, 0], u16(block.length + 7), block, [0x40, 3, 4], nextHop, nlri]);
  }
  const length = 5 + nextHop.length + nlri.length;
  const reach = [0x90, 14, ...u16(length), 0, AFI[family], SAFI_UNICAST, nextHop.length];
  return message([[0, 0], u16(block.length + 4 + length), reach, nextHop, [0], nlri, block]);
}

/** An UPDATE that withdraws; without prefixes it is the End-of-RIB of RFC 4724 §2. */
export function withdrawal(family: RoutedFamily, nlri: Uint8Array): Uint8Array {
  if (family === 'ipv4') return message([u16(nlri.length), nlri, [0, 0]]);
  const length = 3 + nlri.length;
  return message([[0, 0], u16(length + 4), [0x90, 15, ...u16(length), 0, AFI[family], SAFI_UNICAST], nlri]);
}
