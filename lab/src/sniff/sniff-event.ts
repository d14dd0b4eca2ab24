import { FRAME_KINDS, type FrameKind } from './frame-kind.ts';
import { type CableDirection, DIRECTIONS, PHASES, type SniffPhase } from './sniffer-maps.ts';

/** A frame that is forbidden, as its program told of it: `struct sniff_event`. */
export interface SniffEvent {
  readonly cable: number;
  readonly direction: CableDirection;
  readonly phase: SniffPhase;
  readonly kind: FrameKind;
  /** Bytes of the frame. */
  readonly length: number;
  /** Its first ones. */
  readonly bytes: Uint8Array;
}

const BYTES_OFFSET = 32;

/** Reads a record of the ring. Its bytes are copied. */
export function decodeSniffEvent(record: DataView): SniffEvent {
  const word = (at: number): number => record.getUint32(at, true);
  return {
    cable: word(8),
    direction: DIRECTIONS[word(12)]!,
    phase: PHASES[word(16)]!,
    kind: FRAME_KINDS[word(20)]!,
    length: word(24),
    bytes: new Uint8Array(record.buffer, record.byteOffset + BYTES_OFFSET, word(28)).slice(),
  };
}

/** `pod from east/n1 eth0, 142 bytes: 0200…` @param cable its name */
export function sniffEventText({ direction, phase, kind, length, bytes }: SniffEvent, cable: string): string {
  const expected = phase === 'plain' ? ' (encryption is off)' : '';
  return `${kind} ${direction} ${cable}${expected}, ${length} bytes: ${Buffer.from(bytes).toString('hex')}`;
}
