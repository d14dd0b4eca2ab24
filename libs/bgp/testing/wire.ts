import type { Clock, Random } from '@isthmus/core';
import type { BgpConnection, BgpTransport, ConnectionHandlers } from '../src/session/bgp-transport.ts';

/** Who takes the connections of one end, and how long its bytes take. */
export interface WireEnd {
  readonly address: string;
  accept(connection: BgpConnection): void;
}

/** Longest that anything takes to the other end, in milliseconds. */
const SLOWEST_MS = 20;

/** One end of a connection whose bytes arrive in order, each after a time of its own. */
class WireConnection implements BgpConnection {
  readonly local: { readonly address: string; readonly port: number };
  readonly remote: { readonly address: string; readonly port: number };
  other!: WireConnection;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #waiting: ((handlers: ConnectionHandlers) => void)[] = [];
  #handlers: ConnectionHandlers | undefined;
  #arrives = 0;
  #closed = false;

  constructor(local: string, remote: string, clock: Clock, random: Random) {
    this.local = { address: local, port: 179 };
    this.remote = { address: remote, port: 179 };
    this.#clock = clock;
    this.#random = random;
  }

  start(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    this.#clock.after(0, () => {
      for (const tell of this.#waiting.splice(0)) tell(handlers);
    });
  }

  write(bytes: Uint8Array): boolean {
    const copy = bytes.slice();
    if (!this.#closed) this.#toOther((handlers) => handlers.onBytes(copy));
    return true;
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#toOther((handlers) => handlers.onClosed(undefined));
  }

  #toOther(tell: (handlers: ConnectionHandlers) => void): void {
    this.#arrives = Math.max(this.#arrives, this.#clock.now() + SLOWEST_MS * this.#random());
    this.#clock.after(this.#arrives - this.#clock.now(), () => this.other.#take(tell));
  }

  #take(tell: (handlers: ConnectionHandlers) => void): void {
    if (this.#closed) return;
    if (this.#handlers === undefined || this.#waiting.length > 0) this.#waiting.push(tell);
    else tell(this.#handlers);
  }
}

/** The way from one end to the other. */
export function wire(from: string, to: () => WireEnd, clock: Clock, random: Random): BgpTransport {
  return {
    connect: () =>
      new Promise((resolve) => {
        const ours = new WireConnection(from, to().address, clock, random);
        const theirs = new WireConnection(to().address, from, clock, random);
        ours.other = theirs;
        theirs.other = ours;
        clock.after(SLOWEST_MS * random(), () => {
          to().accept(theirs);
          clock.after(SLOWEST_MS * random(), () => resolve(ours));
        });
      }),
    listen: () => Promise.reject(new Error('who listens here is named')),
  };
}
