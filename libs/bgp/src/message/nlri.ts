import type { RoutedFamily } from '../family/routed-family.ts';

/** Longest prefix of a family, in bits. */
const MAX_LENGTH: Readonly<Record<RoutedFamily, number>> = { ipv4: 32, ipv6: 128 };
const PATH_ID_BYTES = 4;

/** Whether bytes are prefixes of a family, one after another, and nothing else: RFC 4271 §4.3, with path identifiers RFC 7911 §3. */
export function isNlri(bytes: Uint8Array, family: RoutedFamily, addPath: boolean): boolean {
  const most = MAX_LENGTH[family];
  let at = 0;
  while (at < bytes.length) {
    if (addPath) at += PATH_ID_BYTES;
    const length = bytes[at];
    if (length === undefined || length > most) return false;
    at += 1 + ((length + 7) >>> 3);
  }
  return at === bytes.length;
}
