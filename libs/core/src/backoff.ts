import type { Random } from './random.ts';

/** How long to wait between attempts, in milliseconds. */
export interface BackoffOptions {
  minMs: number;
  maxMs: number;
  /** Growth per attempt; 2 unless given. */
  factor?: number;
  /** Share of the delay that is random, 0 to 1; 0.5 unless given: the delay lies in [d/2, d]. */
  jitter?: number;
}

/** Exponential delays with jitter. One object per thing that is retried. */
export class Backoff {
  readonly #options: Required<BackoffOptions>;
  readonly #random: Random;
  #attempt = 0;

  constructor(options: BackoffOptions, random: Random) {
    this.#options = { factor: 2, jitter: 0.5, ...options };
    this.#random = random;
  }

  /** Attempts since the last {@link reset}. */
  get attempt(): number {
    return this.#attempt;
  }

  /** The delay before the next attempt; grows with each call. */
  next(): number {
    const { minMs, maxMs, factor, jitter } = this.#options;
    const full = Math.min(maxMs, minMs * factor ** this.#attempt++);
    return full * (1 - jitter * this.#random());
  }

  /** Call after a success. */
  reset(): void {
    this.#attempt = 0;
  }
}
