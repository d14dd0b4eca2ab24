import { AddrFamily, type AddrKey, IpcacheConstant, type IpcacheKey } from './generated/layouts.ts';

/** The flat mesh: every address is unique. */
export const FLAT_NET = 0;

/** The map key of an address given as its 4 or 16 bytes. @throws RangeError for another length */
export function addrKeyOf(address: Uint8Array, net = FLAT_NET): AddrKey {
  if (address.length !== 4 && address.length !== 16) throw new RangeError(`an address has 4 or 16 bytes, not ${address.length}`);
  return { net, family: address.length === 4 ? AddrFamily.ipv4 : AddrFamily.ipv6, addr: address };
}

/** The bytes of the address that a key holds: 4 or 16. */
export function addressOf(key: AddrKey): Uint8Array {
  return key.family === AddrFamily.ipv4 ? key.addr.slice(0, 4) : key.addr;
}

/** The ipcache key of a prefix: its address, whose bits behind `length` must be zero, and its length within the family. */
export function ipcacheKeyOf(address: Uint8Array, length: number, net = FLAT_NET): IpcacheKey {
  return { prefixlen: IpcacheConstant.exactBits + length, addr: addrKeyOf(address, net) };
}
