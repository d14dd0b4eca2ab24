import { ATTRIBUTE } from '../attribute/attribute-type.ts';
import type { PolicyActions } from './policy.ts';

const HEADER_BYTES = 3;
const U32_BYTES = HEADER_BYTES + 4;
const EXTENDED_LENGTH = 0x10;

/** Whether changes are of LOCAL_PREF and MED alone: then {@link patched} makes them without reading the rest of the block. */
export function isPatch(set: PolicyActions): boolean {
  return Object.keys(set).every((key) => key === 'localPref' || key === 'med');
}

/** A well-formed block with a rule's LOCAL_PREF and MED in it; all else stays as it stands. */
export function patched(block: Uint8Array, { localPref, med }: PolicyActions): Uint8Array {
  const withMed = med === undefined ? block : withU32(block, 0x80, ATTRIBUTE.med, med);
  return localPref === undefined ? withMed : withU32(withMed, 0x40, ATTRIBUTE.localPref, localPref);
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

/** The block with an attribute of four octets in the place of the one that is there, or before the first of a higher type. @param value null: without */
function withU32(block: Uint8Array, flags: number, type: number, value: number | null): Uint8Array {
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
  const added = value === null ? 0 : U32_BYTES;
  const out = new Uint8Array(block.length - (to - from) + added);
  out.set(block.subarray(0, from));
  out.set(block.subarray(to), from + added);
  if (value !== null) out.set([flags, type, 4, value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255], from);
  return out;
}

/** Where the attribute at `at` ends. */
function endOf(block: Uint8Array, at: number): number {
  const long = (block[at]! & EXTENDED_LENGTH) !== 0;
  return long ? at + 4 + ((block[at + 2]! << 8) | block[at + 3]!) : at + HEADER_BYTES + block[at + 2]!;
}

function isU32(bytes: Uint8Array, at: number, value: number): boolean {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0 === value;
}
