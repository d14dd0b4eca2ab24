import { randomInt } from 'node:crypto';

const SEED_VARIABLE = 'ISTHMUS_CHAOS_SEED';
const MAX_SEED = 2 ** 31;

/** Chance that can be had again: by the seed that it says, given in ISTHMUS_CHAOS_SEED. */
export class SeededRandom {
  readonly seed: number;
  #state: number;

  constructor(seed: number = Number(process.env[SEED_VARIABLE] ?? randomInt(MAX_SEED))) {
    this.seed = seed;
    this.#state = seed >>> 0;
    process.stderr.write(`chaos: ${SEED_VARIABLE}=${seed}\n`);
  }

  /** A whole number from 0 to below `limit` (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  /** Any of them. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}
