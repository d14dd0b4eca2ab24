import { createSocket, type Socket } from 'node:dgram';
import { CodedError } from '@isthmus/core';
import { BFD_SOCKET } from '../bfd/bfd-errors.ts';
import { type BfdReceiver, MULTIHOP_PORT, SINGLE_HOP_PORT } from '../bfd/bfd-transport.ts';
import { libcCalls } from './libc.ts';
import { droppedPackets, setFilter, setReceiveBuffer } from './socket-options.ts';
import { type SourceTtl, sourceTtlFilter, ttlFilter } from './ttl-filter.ts';
import { bindUdp, familyOf, openUdpSocket } from './udp-socket.ts';

/** Room for packets that come while the process cannot run; the kernel may give less. */
const RECEIVE_BUFFER = 1 << 20;
const SINGLE_HOP_TTL = 255;

/** What sessions that share a socket have in common. */
export interface ReceivePlace {
  readonly local: string;
  readonly interface?: string | undefined;
  readonly multihop: boolean;
}

/**
 * The socket that packets for one local address arrive at. Made and given its filter by the C library, because the filter must be there before
 * the first packet; then Node adopts and reads it. The filter does what GTSM needs: no packet with a wrong TTL costs this process anything.
 */
export class BfdReceiveSocket {
  readonly #fd: number;
  readonly #family: 4 | 6;
  readonly #multihop: boolean;
  readonly #socket: Socket;
  readonly #sources: Map<object, SourceTtl>;

  /**
   * @param first the channel that it is opened for: it is in the filter before the socket is bound, or the peer's first packet could be dropped
   * @throws CodedError when the address or port cannot be had
   */
  constructor(place: ReceivePlace, first: readonly [channel: object, source: SourceTtl], receive: BfdReceiver) {
    this.#sources = new Map([first]);
    const { local, multihop } = place;
    const port = multihop ? MULTIHOP_PORT : SINGLE_HOP_PORT;
    this.#family = familyOf(local);
    this.#multihop = multihop;
    this.#fd = openUdpSocket(place, (fd) => {
      setReceiveBuffer(fd, RECEIVE_BUFFER);
      setFilter(fd, this.#filter());
      const failed = bindUdp(fd, place, port);
      if (failed !== 0) throw new CodedError(BFD_SOCKET, `cannot have ${local} port ${port}: ${libcCalls.strerror(failed)}`);
    });
    this.#socket = createSocket(this.#family === 4 ? 'udp4' : 'udp6');
    this.#socket.on('error', () => {}); // The next packet may be better.
    const device = place.interface === undefined ? {} : { interface: place.interface };
    this.#socket.on('message', (bytes, { address }) => receive(bytes, { local, remote: address.replace(/%.*$/, ''), multihop, ...device }));
    this.#socket.bind({ fd: this.#fd });
  }

  /** Whether any session uses it. */
  get used(): boolean {
    return this.#sources.size > 0;
  }

  /** Takes packets of a source that have at least this TTL, for a channel. */
  take(channel: object, source: SourceTtl): void {
    this.#sources.set(channel, source);
    setFilter(this.#fd, this.#filter());
  }

  leave(channel: object): void {
    this.#sources.delete(channel);
    setFilter(this.#fd, this.#filter());
  }

  /** See {@link droppedPackets}. */
  dropped(): number {
    return droppedPackets(this.#fd);
  }

  close(): void {
    this.#socket.close();
  }

  /** A single hop takes strangers, too: they are counted by reason, as long as they are neighbours. */
  #filter(): Uint8Array {
    if (!this.#multihop) return ttlFilter(this.#family, SINGLE_HOP_TTL);
    return sourceTtlFilter(this.#family, [...this.#sources.values()]);
  }
}
