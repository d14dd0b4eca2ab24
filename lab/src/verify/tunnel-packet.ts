/** What is inside a packet of the tunnel: a UDP datagram over IPv4, and whose it claims to be. */
export interface TunnelPacket {
  readonly identity: number;
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly text: string;
}

const ETHERNET = Buffer.from('020000000001020000000002', 'hex');

/** The packet as the payload of the tunnel's UDP, for both protocols at their usual ports (RFC 7348, RFC 8926). */
export function vxlanAndGeneve(packet: TunnelPacket): { port: number; bytes: Buffer }[] {
  const vni = packet.identity << 8;
  const inner = Buffer.concat([ETHERNET, Buffer.from([8, 0]), ipv4(packet)]);
  return [
    { port: 8472, bytes: Buffer.concat([words(0x0800_0000, vni), inner]) },
    { port: 6081, bytes: Buffer.concat([words(0x0000_6558, vni), inner]) },
  ];
}

function words(first: number, second: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(first, 0);
  bytes.writeUInt32BE(second >>> 0, 4);
  return bytes;
}

function ipv4({ source, destination, port, text }: TunnelPacket): Buffer {
  const data = Buffer.from(text);
  const bytes = Buffer.alloc(28);
  bytes.writeUInt16BE(0x4500, 0);
  bytes.writeUInt16BE(28 + data.length, 2);
  bytes.writeUInt16BE((64 << 8) | 17, 8);
  bytes.set(source.split('.').map(Number), 12);
  bytes.set(destination.split('.').map(Number), 16);
  bytes.writeUInt16BE(checksum(bytes.subarray(0, 20)), 10);
  bytes.writeUInt16BE(port, 20);
  bytes.writeUInt16BE(port, 22);
  bytes.writeUInt16BE(8 + data.length, 24); // its checksum may be zero: RFC 768
  return Buffer.concat([bytes, data]);
}

function checksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
