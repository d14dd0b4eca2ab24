export { ByteReader } from './byte-reader.ts';
export { ByteWriter } from './byte-writer.ts';
export { Cidr, canonicalCidr, hostCidr, maskBytes, maskLength, parseCidr } from './cidr.ts';
export { type AddressBytes, addressBytes, type CanonicalOptions, canonicalIp, type Family, familyBits, Ip, parseIp } from './ip.ts';
export { type LpmMatch, LpmTrie } from './lpm-trie.ts';
export { MacAddress, parseMac } from './mac.ts';
