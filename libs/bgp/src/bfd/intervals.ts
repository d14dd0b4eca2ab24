import type { Random } from '@isthmus/core';

/** Least transmit interval of a session that is not up, in microseconds: RFC 5880 §6.8.3. */
export const SLOW_US = 1_000_000;

/** Least share of its interval after which a packet is sent, and the greatest: RFC 5880 §6.8.7. */
const [EARLIEST, LATEST, LATEST_OF_ONE] = [0.75, 1, 0.9];

/**
 * How long to wait before the next periodic packet. A peer that waits for a single one must get it before its time is over.
 * @returns a share of `interval`, in its unit
 */
export function jittered(interval: number, multiplier: number, random: Random): number {
  const latest = multiplier === 1 ? LATEST_OF_ONE : LATEST;
  return interval * (EARLIEST + (latest - EARLIEST) * random());
}

/** Own minima, in microseconds. */
export interface MinIntervals {
  readonly tx: number;
  readonly rx: number;
}

/**
 * What is told to the peer, what is in force, and the poll sequence that lies between them: RFC 5880 §6.5 and §6.8.3. While a session is up, a
 * longer transmit interval and a shorter receive interval count only when the peer has said that it knows them.
 */
export class Negotiation {
  #told: MinIntervals;
  #inForce: MinIntervals;
  #polling = false;
  #pollAgain = false;

  constructor(first: MinIntervals) {
    this.#told = first;
    this.#inForce = first;
  }

  /** What packets carry. */
  get told(): MinIntervals {
    return this.#told;
  }

  /** What timers use. */
  get inForce(): MinIntervals {
    return this.#inForce;
  }

  /** Whether periodic packets carry the P bit. */
  get polling(): boolean {
    return this.#polling;
  }

  /** Changes the minima. @returns whether they were others before */
  change(to: MinIntervals, up: boolean): boolean {
    if (to.tx === this.#told.tx && to.rx === this.#told.rx) return false;
    this.#told = to;
    const { tx, rx } = this.#inForce;
    this.#inForce = { tx: up ? Math.min(tx, to.tx) : to.tx, rx: up ? Math.max(rx, to.rx) : to.rx };
    // A Final on its way may answer the poll that did not carry these values: another poll follows that one.
    this.#pollAgain = this.#polling;
    this.#polling = true;
    return true;
  }

  /** The peer answered a poll: the F bit. */
  final(): void {
    if (!this.#polling) return;
    this.#polling = this.#pollAgain;
    this.#pollAgain = false;
    if (!this.#polling) this.#inForce = this.#told;
  }
}
