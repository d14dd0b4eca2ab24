import type { Random } from '@isthmus/core';

/** Lower and upper bound. */
export type Interval = readonly [low: number, high: number];

const RESAMPLES = 2000;
const CONFIDENCE = 0.95;

/** The middle value, or the mean of the two middle ones. @throws RangeError for none */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) throw new RangeError('no median of nothing');
  return (lower + upper) / 2;
}

/** 95 % bootstrap interval (percentile method) of what `draw` makes of one resampling; undefined when it once says nothing. */
export function bootstrapInterval(draw: () => number | undefined): Interval | undefined {
  const values: number[] = [];
  for (let i = 0; i < RESAMPLES; i++) {
    const value = draw();
    if (value === undefined) return undefined;
    values.push(value);
  }
  values.sort((a, b) => a - b);
  const outside = Math.floor(((1 - CONFIDENCE) / 2) * RESAMPLES);
  return [values[outside] ?? Number.NaN, values[RESAMPLES - 1 - outside] ?? Number.NaN];
}

/** {@link bootstrapInterval} of the median. The same random sequence gives the same interval. */
export function medianInterval(values: readonly number[], random: Random): Interval {
  return bootstrapInterval(() => median(resample(values, random))) as Interval;
}

function resample(values: readonly number[], random: Random): number[] {
  return values.map(() => values[Math.floor(random() * values.length)] ?? Number.NaN);
}
