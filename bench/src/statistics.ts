import type { Random } from '@isthmus/core';

/** Lower and upper bound. */
export type Interval = readonly [low: number, high: number];

const RESAMPLES = 2000;
const CONFIDENCE = 0.95;
/** Samples that must lie beyond a percentile before it is said: a p99 takes 1000. */
const SAMPLES_BEYOND = 10;

/** The middle value, or the mean of the two middle ones. @throws RangeError for none */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) throw new RangeError('no median of nothing');
  return (lower + upper) / 2;
}

/** The value that `share` (0 to 1) of the samples do not exceed; undefined when there are too few samples to say. */
export function percentile(values: readonly number[], share: number): number | undefined {
  // The tolerance is for shares such as 0.99, whose rest is a little more than a hundredth.
  if (values.length * (1 - share) < SAMPLES_BEYOND - 1e-6) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** 95 % bootstrap interval of the median (percentile method). The same random sequence gives the same interval. */
export function medianInterval(values: readonly number[], random: Random): Interval {
  const medians: number[] = [];
  for (let i = 0; i < RESAMPLES; i++) medians.push(median(resample(values, random)));
  medians.sort((a, b) => a - b);
  const outside = Math.floor(((1 - CONFIDENCE) / 2) * RESAMPLES);
  return [medians[outside] ?? Number.NaN, medians[RESAMPLES - 1 - outside] ?? Number.NaN];
}

function resample(values: readonly number[], random: Random): number[] {
  return values.map(() => values[Math.floor(random() * values.length)] ?? Number.NaN);
}
