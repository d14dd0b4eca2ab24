const DOT = 46;
const COLON = 58;
const ZERO = 48;

/** Value of one hexadecimal digit by character code, or -1. */
function hexDigit(code: number): number {
  if (code >= ZERO && code <= 57) return code - ZERO;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/**
 * Reads a dotted quad into `out` at `offset`. Strict, as Go's netip: four decimal parts, no leading zeros.
 * @returns false when the text from `start` on is not exactly that
 */
export function readIpv4(text: string, start: number, out: Uint8Array, offset: number): boolean {
  let part = 0;
  let digits = 0;
  let value = 0;
  for (let i = start; i <= text.length; i++) {
    const code = i === text.length ? DOT : text.charCodeAt(i);
    if (code === DOT) {
      if (digits === 0 || part === 4) return false;
      out[offset + part++] = value;
      digits = 0;
      value = 0;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9 || (digits > 0 && value === 0)) return false;
    value = value * 10 + digit;
    digits++;
    if (value > 255) return false;
  }
  return part === 4;
}

/** Moves the bytes after the `::` at byte `gap` to the end of the 16; `end` bytes were read in all. */
function expandGap(out: Uint8Array, gap: number, end: number): void {
  const tail = end - gap;
  out.copyWithin(16 - tail, gap, end);
  out.fill(0, gap, 16 - tail);
}

/** Reads one group of 1 to 4 hexadecimal digits at `at`; the group in the low 16 bits, its length above; -1 when there is none. */
function readGroup(text: string, at: number): number {
  let value = 0;
  let length = 0;
  while (length < 5 && at + length < text.length) {
    const digit = hexDigit(text.charCodeAt(at + length));
    if (digit < 0) break;
    value = (value << 4) | digit;
    length++;
  }
  return length === 0 || length > 4 ? -1 : (length << 16) | value;
}

/**
 * Reads IPv6 text (RFC 4291 §2.2, also with a dotted quad at the end; no zone) into the 16 bytes of `out`.
 * @returns false when the text is not an IPv6 address
 */
export function readIpv6(text: string, out: Uint8Array): boolean {
  let gap = -1;
  let bytes = 0;
  let at = 0;
  if (text.startsWith('::')) {
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    const group = bytes < 16 ? readGroup(text, at) : -1;
    if (group < 0) return false;
    const next = at + (group >> 16);
    if (text.charCodeAt(next) === DOT) {
      if (bytes > 12 || !readIpv4(text, at, out, bytes)) return false;
      bytes += 4;
      break;
    }
    out[bytes++] = (group >> 8) & 0xff;
    out[bytes++] = group & 0xff;
    at = next;
    if (at === text.length) break;
    if (text.charCodeAt(at++) !== COLON || at === text.length) return false;
    if (text.charCodeAt(at) !== COLON) continue;
    if (gap >= 0) return false;
    gap = bytes;
    at++;
  }
  if (gap < 0) return bytes === 16;
  if (bytes > 14) return false;
  expandGap(out, gap, bytes);
  return true;
}

/** Dotted quad of the four bytes at `offset`. */
export function writeIpv4(bytes: Uint8Array, offset = 0): string {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
}

/** The longest run of two or more zero groups (the first one of equals), as [start, length]; length 0 when there is none. */
function longestZeroRun(bytes: Uint8Array): [number, number] {
  let best: [number, number] = [0, 1];
  let start = -1;
  for (let group = 0; group <= 8; group++) {
    const zero = group < 8 && bytes[2 * group] === 0 && bytes[2 * group + 1] === 0;
    if (zero && start < 0) start = group;
    if (zero || start < 0) continue;
    if (group - start > best[1]) best = [start, group - start];
    start = -1;
  }
  return best[1] > 1 ? best : [0, 0];
}

/** Groups `from` to `to` as hexadecimal text joined by colons. */
function writeGroups(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let group = from; group < to; group++) {
    const value = (bytes[2 * group]! << 8) | bytes[2 * group + 1]!;
    text += group === from ? value.toString(16) : `:${value.toString(16)}`;
  }
  return text;
}

/** True for `::ffff:0:0/96`. */
export function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

/** Canonical text of 16 bytes (RFC 5952); v4-mapped addresses with a dotted quad (§5 there). */
export function writeIpv6(bytes: Uint8Array): string {
  if (isMapped(bytes)) return `::ffff:${writeIpv4(bytes, 12)}`;
  const [start, length] = longestZeroRun(bytes);
  if (length === 0) return writeGroups(bytes, 0, 8);
  return `${writeGroups(bytes, 0, start)}::${writeGroups(bytes, start + length, 8)}`;
}
