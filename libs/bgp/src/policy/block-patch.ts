import { ATTRIBUTE } from '../attribute/attribute-type.ts';
import type { PolicyActions } from './policy.ts';

const HEADER_BYTES = 3;
const U32_BYTES = HEADER_BYTES + 4;
const EXTENDED_LENGTH = 0x10;
const MAX_BLOCK = 65_535 + 2 * U32_BYTES;
/** Blocks are copied by whoever keeps them: memory for each would be most of the work. */
const scratch = { med: new Uint8Array(MAX_BLOCK), localPref: new Uint8Array(MAX_BLOCK) };

/** Whether changes are of LOCAL_PREF and MED alone: then {@link patched} makes them without reading the rest of the block. */
export function isPatch(set: PolicyActions): boolean {
  return Object.keys(set).every((key) => key === 'localPref' || key === 'med');
}

/** A well-formed block with a rule's LOCAL_PREF and MED in it; all else stays as it stands. A view, until the next one is asked for. */
export function patched(block: Uint8Array, { localPref, med }: PolicyActions): Uint8Array {
  const withMed = med === undefined ? block : withU32(block, scratch.med, { flags: 0x80, type: ATTRIBUTE.med, value: med });
  return localPref === undefined
    ? withMed
    : withU32(withMed, scratch.localPref, { flags: 0x40, type: ATTRIBUTE.localPref, value: localPref });
}

/** Whether a well-formed block has a community, RFC 1997. */
export function hasCommunity(block: Uint8Array, community: number): boolean {
  for (let at = 0; at < block.length; ) {
    const end = endOf(block, at);
    if (block[at + 1] === ATTRIBUTE.communities) {
      for (let from = (block[at]! & EXTENDED_LENGTH) === 0 ? at + 3 : at + 4; from < end; from += 4)
        if (isU32(block, from, community)) return true;
      return false;
    }
    at = end;
  }
  return false;
}

/** The block with an attribute of four octets in the place of the one that is there, or before the first of a higher type. A value of null: without. */
function withU32(
  block: Uint8Array,
  out: Uint8Array,
  { flags, type, value }: { flags: number; type: number; value: number | null },
): Uint8Array {
  let from = block.length;
  let to = block.length;
  for (let at = 0, end = 0; at < block.length; at = end) {
    end = endOf(block, at);
    if (block[at + 1] === type) {
      from = at;
      to = end;
      break;
    }
    if (block[at + 1]! > type && from === block.length) from = to = at;
  }
  for (let at = 0; at < from; at++) out[at] = block[at]!;
  let end = from;
  if (value !== null) {
    out[end++] = flags;
    out[end++] = type;
    out[end++] = 4;
    for (let shift = 24; shift >= 0; shift -= 8) out[end++] = value >>> shift;
  }
  for (let at = to; at < block.length; at++) out[end++] = block[at]!;
  return out.subarray(0, end);
}

/** Where the attribute at `at` ends. */
function endOf(block: Uint8Array, at: number): number {
  const long = (block[at]! & EXTENDED_LENGTH) !== 0;
  return long ? at + 4 + ((block[at + 2]! << 8) | block[at + 3]!) : at + HEADER_BYTES + block[at + 2]!;
}

function isU32(bytes: Uint8Array, at: number, value: number): boolean {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0 === value;
}
