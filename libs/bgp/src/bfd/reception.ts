import { AUTHENTICATED_LENGTH, BFD_VERSION, type ControlPacket, decodeControlPacket, PACKET_LENGTH } from './control-packet.ts';

/** Why a packet was dropped: one name per rule of RFC 5880 §6.8.6, in its order, and two of ours. */
export const DROP_REASONS = [
  /** Version is not 1. */
  'version',
  /** Length is below 24, or below 26 with the A bit. */
  'length',
  /** Length is more than there are bytes. */
  'truncated',
  /** Detect Mult is zero. */
  'multiplier',
  /** The M bit is set. */
  'multipoint',
  /** My Discriminator is zero. */
  'my-discriminator',
  /** Your Discriminator is none of ours, or it is zero and nothing is known of the sender. */
  'no-session',
  /** Your Discriminator is zero, and the state is neither Down nor AdminDown. */
  'your-discriminator',
  /** It came to another socket or from another address than its session's: a discriminator alone gets nobody past the TTL. */
  'path',
  /** The A bit is set, and no authentication is in use. */
  'authentication',
  /** The session is administratively down. */
  'admin-down',
] as const;

/** One of {@link DROP_REASONS}. */
export type DropReason = (typeof DROP_REASONS)[number];

/** Packets dropped, by reason; reasons that did not occur are not there. */
export type DropCounts = Partial<Record<DropReason, number>>;

/** Counts a dropped packet. */
export function countDrop(counts: DropCounts, reason: DropReason): void {
  counts[reason] = (counts[reason] ?? 0) + 1;
}

/** The rules of RFC 5880 §6.8.6 that need no session, in its order. */
export function readControlPacket(bytes: Uint8Array): ControlPacket | DropReason {
  const version = (bytes[0] ?? 0) >> 5;
  if (bytes.length > 0 && version !== BFD_VERSION) return 'version';
  const packet = decodeControlPacket(bytes);
  if (packet === undefined) return bytes.length < 4 || (bytes[3] as number) >= PACKET_LENGTH ? 'truncated' : 'length';
  if (packet.length < (packet.authenticated ? AUTHENTICATED_LENGTH : PACKET_LENGTH)) return 'length';
  if (packet.length > bytes.length) return 'truncated';
  if (packet.multiplier === 0) return 'multiplier';
  if (packet.multipoint) return 'multipoint';
  if (packet.myDiscriminator === 0) return 'my-discriminator';
  if (packet.yourDiscriminator === 0 && packet.state !== 'down' && packet.state !== 'admin-down') return 'your-discriminator';
  return packet;
}
