import { Ip } from '@isthmus/net';
import { type DatapathEvent, Direction, decodeEventSocket, EventFlag, EventType, eventSocketLayout } from '../generated/layouts.ts';
import { textOfAddrKey } from '../sinks/address-text.ts';
import { dropReasonName } from './drop-reason.ts';

/** An event of the datapath in words. Addresses are empty where the packet could not be read; a socket's destination is the service it asked for. */
export interface EventDescription {
  readonly type: 'drop' | 'trace' | 'verdict' | 'socket' | 'unknown';
  /** Name of the drop reason, such as `EndpointNotReady`; empty for other types. */
  readonly reason: string;
  readonly subtype: number;
  readonly direction: 'ingress' | 'egress' | 'service' | '';
  /** Local endpoint; 0 when none is known. */
  readonly endpoint: number;
  readonly sourceIdentity: number;
  readonly destinationIdentity: number;
  readonly source: string;
  readonly destination: string;
  readonly protocol: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly bytes: number;
  readonly ifindex: number;
  /** Milliseconds of the kernel's monotonic clock. */
  readonly timeMs: number;
}

const ETHERNET_HEADER = 14;
const ETHERTYPE: Readonly<Record<number, 4 | 6>> = { 2048: 4, 34525: 6 };
const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6', 132: 'SCTP' };
const WITH_PORTS = new Set(['TCP', 'UDP', 'SCTP']);

/** Puts an event into words. Never throws: what cannot be read stays empty. */
export function describeEvent(event: DatapathEvent): EventDescription {
  const type = (nameOf(EventType, event.type) || 'unknown') as EventDescription['type'];
  const packet = event.flags & EventFlag.socket ? readSocket(event) : readPacket(event);
  return {
    type,
    reason: type === 'drop' ? dropReasonName(event.subtype) : '',
    subtype: event.subtype,
    direction: nameOf(Direction, event.direction) as EventDescription['direction'],
    endpoint: event.endpoint,
    sourceIdentity: event.sourceIdentity,
    destinationIdentity: event.destinationIdentity,
    ...packet,
    bytes: event.originalLength,
    ifindex: event.ifindex,
    timeMs: Number(event.timeNs / 1_000_000n),
  };
}

type Packet = Pick<EventDescription, 'source' | 'destination' | 'protocol' | 'sourcePort' | 'destinationPort'>;
const NO_PACKET: Packet = { source: '', destination: '', protocol: '', sourcePort: 0, destinationPort: 0 };

/** What a socket asked for: the service. Who asked is known by its cookie alone. */
function readSocket({ capture, capturedLength }: DatapathEvent): Packet {
  if (Math.min(capturedLength, capture.length) < eventSocketLayout.size) return NO_PACKET;
  const { service, servicePort, protocol } = decodeEventSocket(capture.subarray(0, eventSocketLayout.size));
  return { ...NO_PACKET, destination: textOfAddrKey(service), destinationPort: servicePort, protocol: protocolName(protocol) };
}

function readPacket({ capture, capturedLength, flags }: DatapathEvent): Packet {
  const bytes = capture.subarray(0, Math.min(capturedLength, capture.length));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    const start = flags & EventFlag.ip ? 0 : ETHERNET_HEADER;
    const family = flags & EventFlag.ip ? view.getUint8(0) >> 4 : ETHERTYPE[view.getUint16(12)];
    if (family === 4) return readIpv4(bytes, view, start);
    return family === 6 ? readIpv6(bytes, view, start) : NO_PACKET;
  } catch (error) {
    // A capture shorter than the headers it announces.
    if (error instanceof RangeError) return NO_PACKET;
    throw error;
  }
}

function readIpv4(bytes: Uint8Array, view: DataView, at: number): Packet {
  const protocol = protocolName(view.getUint8(at + 9));
  const [source, destination] = [text(bytes, at + 12, 4), text(bytes, at + 16, 4)];
  const fragment = (view.getUint16(at + 6) & 0x1fff) !== 0;
  return { source, destination, protocol, ...ports(view, fragment ? '' : protocol, at + (view.getUint8(at) & 0xf) * 4) };
}

function readIpv6(bytes: Uint8Array, view: DataView, at: number): Packet {
  const protocol = protocolName(view.getUint8(at + 6));
  return { source: text(bytes, at + 8, 16), destination: text(bytes, at + 24, 16), protocol, ...ports(view, protocol, at + 40) };
}

function ports(view: DataView, protocol: string, at: number): Pick<Packet, 'sourcePort' | 'destinationPort'> {
  if (!WITH_PORTS.has(protocol) || at + 4 > view.byteLength) return { sourcePort: 0, destinationPort: 0 };
  return { sourcePort: view.getUint16(at), destinationPort: view.getUint16(at + 2) };
}

function text(bytes: Uint8Array, at: number, length: 4 | 16): string {
  if (at + length > bytes.length) throw new RangeError('the capture ends inside an address');
  return new Ip(length === 4 ? 4 : 6, bytes.slice(at, at + length)).toString();
}

function protocolName(number: number): string {
  return PROTOCOLS[number] ?? String(number);
}

function nameOf(values: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(values).find((name) => values[name] === value) ?? '';
}
