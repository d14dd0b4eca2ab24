import { Cidr, type Family, type Ip, maskBytes, maskLength, parseCidr, parseIp } from '@isthmus/net';
import { reject } from './decode-result.ts';
import type { GoStruct } from './go-json.ts';
import { asObject, readString } from './json-reader.ts';

/**
 * Reads a network in either form that writers use: `{"IP":"10.0.0.0","Mask":"/wAAAA=="}` or `"10.0.0.0/8"`.
 * Host bits are cleared and v4-mapped networks become IPv4.
 * @returns canonical text, `''` for null
 */
export function readCidr(value: unknown, family: Family): string {
  if (value === undefined || value === null) return '';
  const cidr = typeof value === 'string' ? readCidrText(value) : readCidrObject(value);
  return cidr.family === family ? cidr.toString() : reject('bad-cidr');
}

function readCidrText(text: string): Cidr {
  const cidr = parseCidr(text) ?? reject('bad-cidr');
  return unmapped(cidr.address, cidr.length);
}

function readCidrObject(value: unknown): Cidr {
  const object = asObject(value);
  const ip = parseIp(readString(object, 'IP')) ?? reject('bad-cidr');
  const mask = readMask(readString(object, 'Mask'));
  const length = maskLength(mask) ?? reject('bad-cidr');
  if (mask.length === ip.bytes.length) return unmapped(ip, length);
  return ip.family === 4 && length >= 96 ? new Cidr(ip, length - 96) : reject('bad-cidr');
}

function unmapped(ip: Ip, length: number): Cidr {
  if (!ip.mapped) return new Cidr(ip, length);
  return length >= 96 ? new Cidr(ip.unmap(), length - 96) : reject('bad-cidr');
}

/** The 4 or 16 bytes of a base64 netmask. */
export function readMask(base64: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]{6}==$|^[A-Za-z0-9+/]{22}==$/.test(base64)) return reject('bad-cidr');
  return Buffer.from(base64, 'base64');
}

/** Base64 of a netmask, as Go writes a byte slice. */
export function maskText(family: Family, length: number): string {
  return Buffer.from(maskBytes(family, length)).toString('base64');
}

/**
 * The object form, which every reader up to now takes; null for `''`.
 * @throws RangeError when the text is no network: rows hold canonical text only
 */
export function cidrObject(text: string): GoStruct | null {
  if (text === '') return null;
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new RangeError(`not a network: ${JSON.stringify(text)}`);
  return { IP: cidr.address.toString(), Mask: maskText(cidr.family, cidr.length) };
}
