import { CodedError, type Random } from '@isthmus/core';
import { BFD_SOCKET } from '../bfd/bfd-errors.ts';
import type { BfdPath } from '../bfd/bfd-settings.ts';
import { MULTIHOP_PORT, SINGLE_HOP_PORT, SOURCE_PORTS } from '../bfd/bfd-transport.ts';
import { errno, libcCalls } from './libc.ts';
import { setFilter, setTrafficClass, setTtl } from './socket-options.ts';
import { sourceTtlFilter } from './ttl-filter.ts';
import { bindUdp, openUdpSocket, socketAddress } from './udp-socket.ts';

/** Network control, CS6 (RFC 4594): queues must not drop it before data. */
const NETWORK_CONTROL = 0xc0;
const TTL = 255;
const MSG_DONTWAIT = 0x40;
const EADDRINUSE = 98;
/** Ports that are tried before giving up: sessions have distinct ones as long as there are any, RFC 5881 §4. */
const ATTEMPTS = 1000;

/** The socket that packets of one session leave from, by a port that is its own. */
export class BfdSendSocket {
  readonly #fd: number;
  readonly #ports: Set<number>;
  #port = 0;
  #closed = false;

  /** @param ports those in use; its own is among them until it closes @throws CodedError */
  constructor(path: BfdPath, ports: Set<number>, random: Random) {
    this.#ports = ports;
    this.#fd = openUdpSocket(path, (fd, family) => {
      setTtl(fd, family, TTL);
      setTrafficClass(fd, family, NETWORK_CONTROL);
      setFilter(fd, sourceTtlFilter(family, [])); // Nobody reads it: nothing may pile up.
      this.#port = this.#bind(fd, path, random);
      const to = socketAddress(path.remote, path.interface, path.multihop ? MULTIHOP_PORT : SINGLE_HOP_PORT);
      if (libcCalls.connect(fd, to, to.length) === 0) return;
      throw new CodedError(BFD_SOCKET, `no way from ${path.local} to ${path.remote}: ${libcCalls.strerror(errno())}`);
    });
    ports.add(this.#port);
  }

  /** @returns false when the kernel refused: there is no route, the link is down */
  send(bytes: Uint8Array): boolean {
    // The first attempt may only tell that nobody listened to the packet before.
    return !this.#closed && (this.#sent(bytes) || this.#sent(bytes));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ports.delete(this.#port);
    libcCalls.close(this.#fd);
  }

  #sent(bytes: Uint8Array): boolean {
    return libcCalls.send(this.#fd, bytes, bytes.length, MSG_DONTWAIT) === bytes.length;
  }

  #bind(fd: number, path: BfdPath, random: Random): number {
    const { first, last } = SOURCE_PORTS;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const port = first + Math.floor(random() * (last - first + 1));
      if (this.#ports.has(port)) continue;
      const failed = bindUdp(fd, path, port);
      if (failed === 0) return port;
      if (failed !== EADDRINUSE) throw new CodedError(BFD_SOCKET, `cannot have ${path.local}: ${libcCalls.strerror(failed)}`);
    }
    throw new CodedError(BFD_SOCKET, `no free port from ${first} to ${last} on ${path.local}`);
  }
}
