import { addressBytes, Ip, parseCidr } from '@isthmus/net';
import { addressOf, addrKeyOf, ipcacheKeyOf } from '../addr-key.ts';
import { type AddrKey, decodeAddrKey, decodeIpcacheKey, encodeAddrKey, encodeIpcacheKey, IpcacheConstant } from '../generated/layouts.ts';

/** Map key of an address in text. @throws RangeError when it is none */
export function addrKeyOfText(ip: string): AddrKey {
  return addrKeyOf(addressBytes(ip).bytes);
}

/** The same as bytes. */
export function addrKeyBytes(ip: string): Uint8Array {
  return encodeAddrKey(addrKeyOfText(ip));
}

/** Canonical text of the address in a key. */
export function textOfAddrKey(key: AddrKey): string {
  return textOfAddress(addressOf(key));
}

/** Canonical text of an encoded key. */
export function textOfAddrKeyBytes(bytes: Uint8Array): string {
  return textOfAddrKey(decodeAddrKey(bytes));
}

/** LPM key of an address or prefix in text. @throws RangeError when it is neither */
export function ipcacheKeyBytes(prefix: string): Uint8Array {
  if (!prefix.includes('/')) {
    const { bytes } = addressBytes(prefix);
    return encodeIpcacheKey(ipcacheKeyOf(bytes, bytes.length * 8));
  }
  const cidr = parseCidr(prefix);
  if (!cidr) throw new RangeError(`${prefix} is not a prefix`);
  return encodeIpcacheKey(ipcacheKeyOf(cidr.address.bytes, cidr.length));
}

/** Canonical text of an LPM key: the address alone where the prefix is full. */
export function textOfIpcacheKey(bytes: Uint8Array): string {
  const { address, length } = prefixOf(bytes);
  const text = textOfAddress(address);
  return length === address.length * 8 ? text : `${text}/${length}`;
}

/** The same with its length, whatever that is. */
export function textOfPrefixKey(bytes: Uint8Array): string {
  const { address, length } = prefixOf(bytes);
  return `${textOfAddress(address)}/${length}`;
}

function prefixOf(bytes: Uint8Array): { address: Uint8Array; length: number } {
  const { prefixlen, addr } = decodeIpcacheKey(bytes);
  return { address: addressOf(addr), length: prefixlen - IpcacheConstant.exactBits };
}

function textOfAddress(bytes: Uint8Array): string {
  return new Ip(bytes.length === 4 ? 4 : 6, bytes).toString();
}
