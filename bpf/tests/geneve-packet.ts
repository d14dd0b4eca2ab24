import { Protocol, packet } from './packet.ts';

/** The port that GENEVE has from IANA. */
export const GENEVE_PORT = 6081;
/** Of outer Ethernet, UDP and GENEVE headers, without the IP header. */
export const OUTER_BYTES = 14 + 8 + 8;

const ETHERNET = 0x6558;

/** A GENEVE packet; what is not given is as a well-behaved node sends it. */
export interface GeneveSpec {
  source: string;
  destination: string;
  vni: number;
  inner: Uint8Array;
  sourcePort?: number;
  port?: number;
  version?: number;
  /** Of the second byte: 0x80 control, 0x40 critical. */
  flags?: number;
  options?: Uint8Array;
  /** Length of the options as the header says it, in words of four bytes. */
  optionWords?: number;
  etherType?: number;
  /** What the UDP header says; the true length unless given. */
  udpLength?: number;
  ecn?: number;
}

/** The frame of a GENEVE packet, with the outer Ethernet header of {@link packet}. UDP checksum zero, outer IPv4 packets with DF. */
export function genevePacket(spec: GeneveSpec): Uint8Array {
  const { source, destination, vni, inner, options = new Uint8Array(0), ecn = 0 } = spec;
  const header = new DataView(new ArrayBuffer(16));
  header.setUint16(0, spec.sourcePort ?? 50_000);
  header.setUint16(2, spec.port ?? GENEVE_PORT);
  header.setUint16(4, spec.udpLength ?? 16 + options.length + inner.length);
  header.setUint8(8, ((spec.version ?? 0) << 6) | (spec.optionWords ?? options.length / 4));
  header.setUint8(9, spec.flags ?? 0);
  header.setUint16(10, spec.etherType ?? ETHERNET);
  header.setUint32(12, vni << 8);
  const payload = Uint8Array.from([...new Uint8Array(header.buffer), ...options, ...inner]);
  return packet({ source, destination, protocol: Protocol.udp, payload, dontFragment: true, ecn });
}
