import type { BfdPath } from './bfd-settings.ts';

/** Destination ports: RFC 5881 §4, RFC 5883 §5. */
export const SINGLE_HOP_PORT = 3784;
export const MULTIHOP_PORT = 4784;
/** Source ports that a single hop must use, RFC 5881 §4. */
export const SOURCE_PORTS = { first: 49_152, last: 65_535 } as const;

/** What a channel is opened for. */
export interface BfdChannelOptions extends BfdPath {
  /** Packets with a lower TTL must not arrive; 255 for a single hop. */
  readonly minTtl: number;
}

/** The way to one peer: sends from a port of its own, with TTL 255. */
export interface BfdChannel {
  /** Sends a packet; the bytes are the caller's again when it returns. @returns false when the machine could not */
  send(bytes: Uint8Array): boolean;
  setMinTtl(minTtl: number): void;
  /** False when the interface or its number is another one than when it was opened: the channel is of no use any more. */
  usable(): boolean;
  /** Packets that the kernel dropped at the socket: of a wrong TTL, or from unknown addresses to a multihop one, or because it was full. */
  dropped(): number;
  close(): void;
}

/** Takes what arrives for all channels; the path is that of the socket and the packet's source. The bytes are the callee's until it returns. */
export type BfdReceiver = (bytes: Uint8Array, path: BfdPath) => void;

/** The only door of BFD to the network. */
export interface BfdTransport {
  /** @throws CodedError when an address, a port or the interface cannot be had */
  open(options: BfdChannelOptions): BfdChannel;
  /** Sets who takes what arrives; once, before the first channel is opened. */
  receiver(receive: BfdReceiver): void;
  /** Calls back when all that had arrived by now has been handed over. */
  settle(then: () => void): void;
}
