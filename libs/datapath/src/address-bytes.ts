import { addressBytes } from '@isthmus/net';

/** An address as 4 or 16 bytes; zeros for the empty text. @throws RangeError for text of another family */
export function addressBytesOr0(ip: string, family: 4 | 6): Uint8Array {
  if (ip === '') return new Uint8Array(family === 4 ? 4 : 16);
  const address = addressBytes(ip);
  if (address?.family !== family) throw new RangeError(`${ip} is not an IPv${family} address`);
  return address.bytes;
}
