import { isMapped, readIpv4, readIpv6, writeIpv4, writeIpv6 } from './ip-text.ts';

/** Address family as the number people say: 4 or 6. */
export type Family = 4 | 6;

/** Bits in an address of the family: 32 or 128. */
export function familyBits(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/** Longest text of an IPv6 address; anything longer is refused unread. */
const MAX_TEXT = 45;
/** Where addresses go of which only the text matters. */
const scratch = new Uint8Array(4);

/** An IP address: family and bytes in network order. Never changes; tables keep the canonical text instead. */
export class Ip {
  readonly family: Family;
  /** 4 or 16 bytes, network order. Not to be written to. */
  readonly bytes: Uint8Array;

  constructor(family: Family, bytes: Uint8Array) {
    if (bytes.length * 8 !== familyBits(family)) throw new RangeError(`an IPv${family} address has not ${bytes.length} bytes`);
    this.family = family;
    this.bytes = bytes;
  }

  /** Canonical text, RFC 5952. */
  toString(): string {
    return this.family === 4 ? writeIpv4(this.bytes) : writeIpv6(this.bytes);
  }

  /** True for an IPv6 address in `::ffff:0:0/96`. */
  get mapped(): boolean {
    return this.family === 6 && isMapped(this.bytes);
  }

  /** The IPv4 address inside a v4-mapped one; itself otherwise. */
  unmap(): Ip {
    return this.mapped ? new Ip(4, this.bytes.slice(12)) : this;
  }

  /** Order: IPv4 before IPv6, then by bytes. Negative, zero or positive. */
  compare(other: Ip): number {
    if (this.family !== other.family) return this.family - other.family;
    for (let i = 0; i < this.bytes.length; i++) {
      const difference = this.bytes[i]! - other.bytes[i]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /** Same family and same bytes. */
  equals(other: Ip): boolean {
    return this.compare(other) === 0;
  }
}

/** Reads an address; undefined when the text is none. No zones, no leading zeros, no shortened IPv4. */
export function parseIp(text: string): Ip | undefined {
  if (text.length > MAX_TEXT) return undefined;
  if (text.includes(':')) {
    const bytes = new Uint8Array(16);
    return readIpv6(text, bytes) ? new Ip(6, bytes) : undefined;
  }
  const bytes = new Uint8Array(4);
  return readIpv4(text, 0, bytes, 0) ? new Ip(4, bytes) : undefined;
}

/** How {@link canonicalIp} treats v4-mapped IPv6 addresses. */
export interface CanonicalOptions {
  /** True: `::ffff:10.0.0.1` becomes `10.0.0.1`. False unless given. */
  unmap?: boolean;
}

/**
 * Canonical text of an address (RFC 5952), the form in which tables hold addresses; undefined when the text is none.
 * Text that is canonical already is returned itself, so that no second copy is kept.
 */
export function canonicalIp(text: string, options: CanonicalOptions = {}): string | undefined {
  // Most are IPv4, of which there is only one way to write each.
  if (!text.includes(':')) return text.length <= MAX_TEXT && readIpv4(text, 0, scratch, 0) ? text : undefined;
  const ip = parseIp(text);
  if (ip === undefined) return undefined;
  const canonical = (options.unmap ? ip.unmap() : ip).toString();
  return canonical === text ? text : canonical;
}

/** Family and bytes of an address. */
export interface AddressBytes {
  family: Family;
  bytes: Uint8Array;
}

/**
 * Bytes of an address that a table holds as text.
 * @throws RangeError when the text is no address: rows hold canonical text only, so this is a defect of the caller
 */
export function addressBytes(ip: string): AddressBytes {
  const parsed = parseIp(ip);
  if (parsed === undefined) throw new RangeError(`not an IP address: ${JSON.stringify(ip.slice(0, 64))}`);
  return parsed;
}
