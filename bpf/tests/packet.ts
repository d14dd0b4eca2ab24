/** The IP header's part of a packet, and what it carries. */
export interface PacketSpec {
  source: string;
  destination: string;
  /** 64 unless given. */
  ttl?: number;
  /** UDP unless given. */
  protocol?: number;
  /** Behind the IP header; a UDP header with 8 bytes unless given. */
  payload?: Uint8Array;
  dontFragment?: boolean;
  /** The two bits of congestion notification; not capable of it unless given. */
  ecn?: number;
}

const ETHERNET = Uint8Array.from([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
const UDP = 17;

/** Numbers of the protocols that tests use. */
export const Protocol = { hopByHop: 0, tcp: 6, udp: 17, icmpv6: 58 } as const;

/** An address as its 4 or 16 bytes; understands what {@link packet} needs: dotted quads and IPv6 with at most one `::`. */
export function address(text: string): Uint8Array {
  if (!text.includes(':')) return Uint8Array.from(text.split('.').map(Number));
  const [head = '', tail] = text.split('::');
  const words = (part: string): number[] => (part === '' ? [] : part.split(':').flatMap(wordsOf));
  const front = words(head);
  const back = tail === undefined ? [] : words(tail);
  const all = [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

function wordsOf(part: string): number[] {
  if (!part.includes('.')) return [Number.parseInt(part, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = address(part);
  return [(a << 8) | b, (c << 8) | d];
}

/** An Ethernet frame with an IPv4 or IPv6 packet, by the family of its addresses. */
export function packet(spec: PacketSpec): Uint8Array {
  const payload = spec.payload ?? new Uint8Array(16);
  const header = spec.source.includes(':') ? ipv6(spec, payload.length) : ipv4(spec, payload.length);
  const type = spec.source.includes(':') ? [0x86, 0xdd] : [0x08, 0x00];
  return Uint8Array.from([...ETHERNET, ...type, ...header, ...payload]);
}

/** A frame of another protocol. */
export function frame(etherType: number, payload = new Uint8Array(46)): Uint8Array {
  return Uint8Array.from([...ETHERNET, etherType >> 8, etherType & 0xff, ...payload]);
}

function ipv4(spec: PacketSpec, length: number): Uint8Array {
  const header = new DataView(new ArrayBuffer(20));
  header.setUint8(0, 0x45);
  header.setUint8(1, spec.ecn ?? 0);
  header.setUint16(2, 20 + length);
  header.setUint16(6, spec.dontFragment ? 0x4000 : 0);
  header.setUint8(8, spec.ttl ?? 64);
  header.setUint8(9, spec.protocol ?? UDP);
  const bytes = new Uint8Array(header.buffer);
  bytes.set(address(spec.source), 12);
  bytes.set(address(spec.destination), 16);
  header.setUint16(10, checksum(bytes));
  return bytes;
}

function ipv6(spec: PacketSpec, length: number): Uint8Array {
  const header = new DataView(new ArrayBuffer(40));
  header.setUint16(0, 0x6000 | ((spec.ecn ?? 0) << 4));
  header.setUint16(4, length);
  header.setUint8(6, spec.protocol ?? UDP);
  header.setUint8(7, spec.ttl ?? 64);
  const bytes = new Uint8Array(header.buffer);
  bytes.set(address(spec.source), 8);
  bytes.set(address(spec.destination), 24);
  return bytes;
}

/** The Internet checksum (RFC 1071); 0 over bytes that hold a right one. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) sum += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** The checksum of an ICMPv6 packet with its pseudo header; 0 when it is right. */
export function icmpv6Checksum(ip: Uint8Array): number {
  const body = ip.subarray(40);
  const pseudo = [...ip.subarray(8, 40), 0, 0, body.length >> 8, body.length & 0xff, 0, 0, 0, 58];
  return checksum(Uint8Array.from([...pseudo, ...body]));
}
