import { addressBytes, type Family, Ip, parseMac } from '@isthmus/net';
import { attribute } from './message.ts';

/** Address families as the kernel numbers them. */
export const AF = { UNSPEC: 0, INET: 2, INET6: 10 } as const;

/** The kernel's number of an address family. */
export function familyNumber(family: Family | undefined): number {
  return family === undefined ? AF.UNSPEC : family === 4 ? AF.INET : AF.INET6;
}

/** The family of a kernel's number; undefined for families that carry no IP. */
export function familyOf(number: number): Family | undefined {
  return number === AF.INET ? 4 : number === AF.INET6 ? 6 : undefined;
}

/** An attribute that holds an IP address. */
export function ipAttribute(type: number, ip: string): Buffer {
  return attribute(type, Buffer.from(addressBytes(ip).bytes));
}

/** Canonical text of 4 or 16 bytes. */
export function ipText(bytes: Buffer): string {
  return new Ip(bytes.length === 4 ? 4 : 6, bytes).toString();
}

/**
 * An attribute that holds an Ethernet address.
 * @throws RangeError when the text is none
 */
export function macAttribute(type: number, mac: string): Buffer {
  const parsed = parseMac(mac);
  if (!parsed) throw new RangeError(`not an Ethernet address: ${mac}`);
  return attribute(type, Buffer.from(parsed.bytes));
}

/** Lower-case text of an Ethernet address. */
export function macText(bytes: Buffer): string {
  return bytes.toString('hex').replace(/(..)(?=.)/g, '$1:');
}

/** An address with its prefix length; unlike a network it keeps its host bits. */
export interface Prefix {
  family: Family;
  ip: string;
  length: number;
}

/**
 * Reads `10.0.0.1/24`; without a length it is one address.
 * @throws RangeError when the text is none
 */
export function readPrefix(text: string): Prefix {
  const [ip = '', digits] = text.split('/');
  const { family, bytes } = addressBytes(ip);
  const length = digits === undefined ? bytes.length * 8 : Number(digits);
  if (!Number.isInteger(length) || length < 0 || length > bytes.length * 8) throw new RangeError(`not a prefix length: ${text}`);
  return { family, ip, length };
}
