import type { Random } from '@isthmus/core';
import { bootstrapInterval, type Interval } from './statistics.ts';

/** What is said of all samples together: `median` of however few there are, as of one sample a round; percentiles of many only. */
export type Statistic = 'p50' | 'p95' | 'p99' | 'median' | 'max' | 'mean' | 'sum';

/** Samples of one thing, round by round. */
export type Rounds = readonly (readonly number[])[];

const SHARES = { p50: 0.5, p95: 0.95, p99: 0.99, median: 0.5, max: 1 } as const;
/** Samples that must lie beyond a percentile before it is said: a p99 takes 1000. */
const SAMPLES_BEYOND = 10;

/** How often each round counts. */
type Weights = Uint32Array;

/** Samples of all rounds in order, so that any choice of rounds can be summed up without sorting again. */
export class Pooled {
  readonly #statistic: Statistic;
  readonly #values: Float64Array;
  readonly #roundOf: Uint32Array;
  readonly #sizes: readonly number[];
  readonly #sums: readonly number[];

  constructor(rounds: Rounds, statistic: Statistic) {
    this.#statistic = statistic;
    const all = rounds.flatMap((samples, round) => samples.map((value) => ({ value, round }))).sort((a, b) => a.value - b.value);
    this.#values = Float64Array.from(all, ({ value }) => value);
    this.#roundOf = Uint32Array.from(all, ({ round }) => round);
    this.#sizes = rounds.map((samples) => samples.length);
    this.#sums = rounds.map((samples) => samples.reduce((sum, value) => sum + value, 0));
  }

  /** The statistic of the rounds so weighted; undefined when there are too few samples to say. */
  of(weights: Weights): number | undefined {
    const count = weighted(this.#sizes, weights);
    if (count === 0) return undefined;
    if (this.#statistic === 'sum') return weighted(this.#sums, weights);
    if (this.#statistic === 'mean') return weighted(this.#sums, weights) / count;
    const share = SHARES[this.#statistic];
    // The tolerance is for shares such as 0.99, whose rest is a little more than a hundredth.
    const few = this.#values.length * (1 - share) < SAMPLES_BEYOND - 1e-6;
    if (few && this.#statistic !== 'median' && this.#statistic !== 'max') return undefined;
    return this.#percentile(share, count, weights);
  }

  #percentile(share: number, count: number, weights: Weights): number | undefined {
    let left = Math.ceil(share * count);
    for (let i = 0; i < this.#values.length; i++) {
      left -= weights[this.#roundOf[i] as number] as number;
      if (left <= 0) return this.#values[i];
    }
    return undefined;
  }
}

function weighted(values: readonly number[], weights: Weights): number {
  return values.reduce((sum, value, round) => sum + value * (weights[round] as number), 0);
}

/**
 * 95 % bootstrap interval of what `of` makes of a choice of rounds. Whole rounds are drawn: samples of one round are not independent of
 * each other.
 */
export function roundsInterval(rounds: number, of: (weights: Weights) => number | undefined, random: Random): Interval | undefined {
  return bootstrapInterval(() => of(drawRounds(rounds, random)));
}

function drawRounds(rounds: number, random: Random): Weights {
  const weights = new Uint32Array(rounds);
  for (let i = 0; i < rounds; i++) weights[Math.floor(random() * rounds)]! += 1;
  return weights;
}
