import { CodedError } from '@isthmus/core';
import { addressBytes, type Cidr, parseCidr, parseIp } from '@isthmus/net';
import { BGP_ADDRESS } from '../session/transport-errors.ts';
import { libcCalls } from './libc.ts';

/** Address families, socket(7). */
export const AF_INET = 2;
export const AF_INET6 = 10;
/** Size of `struct sockaddr_in`. */
const SOCKADDR_IN = 16;
/** Size of `struct sockaddr_in6`. */
const SOCKADDR_IN6 = 28;

/** An address taken apart: family as people say it, and the zone behind `%`. */
export interface ZonedAddress {
  readonly family: 4 | 6;
  /** Without the zone. */
  readonly address: string;
  readonly zone?: string;
}

/**
 * Reads an address that may have a zone.
 * @throws CodedError BGP_ADDRESS
 */
export function zonedAddress(text: string): ZonedAddress {
  const percent = text.indexOf('%');
  const address = percent < 0 ? text : text.slice(0, percent);
  const ip = parseIp(address);
  if (ip === undefined) throw new CodedError(BGP_ADDRESS, `"${text}" is no IP address`, { object: text });
  return { family: ip.family, address, ...(percent < 0 ? {} : { zone: text.slice(percent + 1) }) };
}

/**
 * Reads an address, with or without a prefix length; an address alone is a network of one.
 * @throws CodedError BGP_ADDRESS
 */
export function peerNetwork(text: string): Cidr {
  const { address } = zonedAddress(text.replace(/\/.*$/, ''));
  const cidr = parseCidr(text.includes('/') ? text : `${address}/${address.includes(':') ? 128 : 32}`);
  if (cidr === undefined) throw new CodedError(BGP_ADDRESS, `"${text}" is no IP network`, { object: text });
  return cidr;
}

/** `struct sockaddr_in` or `sockaddr_in6` of an address, in the machine's byte order where the kernel wants it. */
export function sockaddr(text: string, port: number): Uint8Array {
  const { family, address, zone } = zonedAddress(text);
  const out = new Uint8Array(family === 4 ? SOCKADDR_IN : SOCKADDR_IN6);
  const view = new DataView(out.buffer);
  view.setUint16(0, family === 4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, port);
  out.set(addressBytes(address).bytes, family === 4 ? 4 : 8);
  if (family === 6 && zone !== undefined) view.setUint32(24, zoneIndex(zone, text), true);
  return out;
}

function zoneIndex(zone: string, text: string): number {
  const index = /^[0-9]+$/.test(zone) ? Number(zone) : libcCalls.ifNameToIndex(zone);
  if (index === 0) throw new CodedError(BGP_ADDRESS, `there is no interface "${zone}"`, { object: text });
  return index;
}
