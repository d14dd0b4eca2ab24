import { type Family, familyBits, Ip, parseIp } from './ip.ts';

/** A copy of `bytes` with everything after the first `length` bits zero. */
function masked(bytes: Uint8Array, length: number): Uint8Array {
  const out = bytes.slice();
  const whole = length >> 3;
  if (whole < out.length) {
    out[whole] = out[whole]! & (0xff00 >> (length & 7));
    out.fill(0, whole + 1);
  }
  return out;
}

/** True when the first `length` bits of both are equal. */
export function samePrefix(a: Uint8Array, b: Uint8Array, length: number): boolean {
  const whole = length >> 3;
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false;
  const rest = length & 7;
  return rest === 0 || ((a[whole]! ^ b[whole]!) & (0xff00 >> rest) & 0xff) === 0;
}

/** A network: an address whose host bits are zero, and a prefix length. Never changes. */
export class Cidr {
  /** First address; host bits are zero. */
  readonly address: Ip;
  /** Prefix length in bits: 0 to 32 or 128. */
  readonly length: number;

  /** Host bits of `address` are cleared. */
  constructor(address: Ip, length: number) {
    const bits = familyBits(address.family);
    if (!Number.isInteger(length) || length < 0 || length > bits)
      throw new RangeError(`not a prefix length of IPv${address.family}: ${length}`);
    this.address = new Ip(address.family, masked(address.bytes, length));
    this.length = length;
  }

  get family(): Family {
    return this.address.family;
  }

  /** Canonical text, `10.0.0.0/8`. */
  toString(): string {
    return `${this.address}/${this.length}`;
  }

  /** True when the address lies in this network. Families never mix; unmap first where that is wanted. */
  contains(ip: Ip): boolean {
    return ip.family === this.family && samePrefix(this.address.bytes, ip.bytes, this.length);
  }

  /** True when all of `other` lies in this network. */
  covers(other: Cidr): boolean {
    return other.length >= this.length && this.contains(other.address);
  }

  /** True when the networks share an address. */
  overlaps(other: Cidr): boolean {
    return this.covers(other) || other.covers(this);
  }

  /** Same family, address and length. */
  equals(other: Cidr): boolean {
    return this.length === other.length && this.address.equals(other.address);
  }

  /** Number of addresses, network and broadcast address included. */
  get size(): bigint {
    return 1n << BigInt(familyBits(this.family) - this.length);
  }

  /**
   * The n-th address; 0 is the network address.
   * @throws RangeError when n is outside 0 to size-1
   */
  nth(n: number | bigint): Ip {
    let rest = BigInt(n);
    if (rest < 0n || rest >= this.size) throw new RangeError(`${this} has no address number ${n}`);
    const bytes = this.address.bytes.slice();
    for (let i = bytes.length - 1; rest > 0n; i--) {
      bytes[i] = bytes[i]! | Number(rest & 0xffn);
      rest >>= 8n;
    }
    return new Ip(this.family, bytes);
  }

  /**
   * The n-th network of prefix length `length` inside this one; 0 is the first.
   * @throws RangeError when there is no such network
   */
  subnet(length: number, n: number | bigint): Cidr {
    if (length < this.length) throw new RangeError(`${this} holds no /${length}`);
    const shift = BigInt(familyBits(this.family) - length);
    return new Cidr(this.nth(BigInt(n) << shift), length);
  }

  /** Position of an address inside the network, or undefined when it lies outside. The reverse of {@link nth}. */
  indexOf(ip: Ip): bigint | undefined {
    if (!this.contains(ip)) return undefined;
    let index = 0n;
    for (let i = 0; i < ip.bytes.length; i++) index = (index << 8n) | BigInt(ip.bytes[i]! ^ this.address.bytes[i]!);
    return index;
  }
}

/** Reads `address/length`; host bits are cleared; undefined when the text is no network. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const ip = parseIp(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (ip === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(digits)) return undefined;
  const length = Number(digits);
  return length > familyBits(ip.family) ? undefined : new Cidr(ip, length);
}

/** Canonical text of a network with host bits cleared, or undefined. Canonical text is returned itself. */
export function canonicalCidr(text: string): string | undefined {
  const canonical = parseCidr(text)?.toString();
  return canonical === text ? text : canonical;
}

/** The network of one address: /32 or /128. */
export function hostCidr(ip: Ip): Cidr {
  return new Cidr(ip, familyBits(ip.family));
}

/** Prefix length of a netmask, or undefined when its ones are not contiguous from the left. */
export function maskLength(mask: Uint8Array): number | undefined {
  let length = 0;
  while (length < mask.length * 8 && (mask[length >> 3]! & (0x80 >> (length & 7))) !== 0) length++;
  for (let bit = length; bit < mask.length * 8; bit++) if ((mask[bit >> 3]! & (0x80 >> (bit & 7))) !== 0) return undefined;
  return length;
}

/** The netmask of a prefix length: 4 or 16 bytes. */
export function maskBytes(family: Family, length: number): Uint8Array {
  return masked(new Uint8Array(familyBits(family) / 8).fill(0xff), length);
}
