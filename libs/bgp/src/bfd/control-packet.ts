import type { BfdState } from './bfd-machine.ts';

/** The protocol's version, RFC 5880 §4.1. */
export const BFD_VERSION = 1;
/** Bytes of a packet without authentication. */
export const PACKET_LENGTH = 24;
/** Least bytes of a packet that says it is authenticated, RFC 5880 §6.8.6. */
export const AUTHENTICATED_LENGTH = 26;

const STATES: readonly BfdState[] = ['admin-down', 'down', 'init', 'up'];
const [POLL, FINAL, INDEPENDENT, AUTHENTICATED, DEMAND, MULTIPOINT] = [0x20, 0x10, 0x08, 0x04, 0x02, 0x01];

/** A control packet, RFC 5880 §4.1. Intervals in microseconds. */
export interface ControlPacket {
  readonly version: number;
  /** Number of the diagnostic: see {@link diagnosticName}. */
  readonly diagnostic: number;
  readonly state: BfdState;
  readonly poll: boolean;
  readonly final: boolean;
  /** The C bit: the sender's BFD does not share fate with its control plane. */
  readonly independent: boolean;
  readonly authenticated: boolean;
  readonly demand: boolean;
  readonly multipoint: boolean;
  readonly multiplier: number;
  /** What the packet says its length is. */
  readonly length: number;
  readonly myDiscriminator: number;
  readonly yourDiscriminator: number;
  readonly desiredMinTx: number;
  readonly requiredMinRx: number;
  readonly requiredMinEchoRx: number;
}

/** What a sender without authentication, demand mode and echo has to say. */
export type OwnPacket = Omit<ControlPacket, 'version' | 'authenticated' | 'demand' | 'multipoint' | 'length' | 'requiredMinEchoRx'>;

/**
 * Reads a packet as it stands; whether it may be believed is for the rules of reception to say.
 * @returns undefined when there are fewer than {@link PACKET_LENGTH} bytes
 */
export function decodeControlPacket(bytes: Uint8Array): ControlPacket | undefined {
  if (bytes.length < PACKET_LENGTH) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view.getUint8(0);
  const flags = view.getUint8(1);
  return {
    version: first >> 5,
    diagnostic: first & 0x1f,
    state: STATES[flags >> 6] as BfdState,
    poll: (flags & POLL) !== 0,
    final: (flags & FINAL) !== 0,
    independent: (flags & INDEPENDENT) !== 0,
    authenticated: (flags & AUTHENTICATED) !== 0,
    demand: (flags & DEMAND) !== 0,
    multipoint: (flags & MULTIPOINT) !== 0,
    multiplier: view.getUint8(2),
    length: view.getUint8(3),
    myDiscriminator: view.getUint32(4),
    yourDiscriminator: view.getUint32(8),
    desiredMinTx: view.getUint32(12),
    requiredMinRx: view.getUint32(16),
    requiredMinEchoRx: view.getUint32(20),
  };
}

/** Writes a packet into `out`, which is of {@link PACKET_LENGTH} bytes and used again for the next one. */
export function encodeControlPacket(packet: OwnPacket, out: Uint8Array): void {
  const view = new DataView(out.buffer, out.byteOffset, PACKET_LENGTH);
  const bit = (set: boolean, mask: number): number => (set ? mask : 0);
  view.setUint8(0, (BFD_VERSION << 5) | packet.diagnostic);
  view.setUint8(
    1,
    (STATES.indexOf(packet.state) << 6) | bit(packet.poll, POLL) | bit(packet.final, FINAL) | bit(packet.independent, INDEPENDENT),
  );
  view.setUint8(2, packet.multiplier);
  view.setUint8(3, PACKET_LENGTH);
  view.setUint32(4, packet.myDiscriminator);
  view.setUint32(8, packet.yourDiscriminator);
  view.setUint32(12, packet.desiredMinTx);
  view.setUint32(16, packet.requiredMinRx);
  view.setUint32(20, 0);
}
