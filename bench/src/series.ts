import { type HarnessContext, MAX_FOREIGN_CORES, type Metric, PATIENCE, ratio } from './harness.ts';
import { type Goal, judge } from './judgement.ts';
import { Pooled, roundsInterval, type Statistic } from './pooled.ts';

/** Samples of one round, by what they are samples of. */
export type Samples = Readonly<Record<string, readonly number[]>>;

/** One number that is made of all rounds' samples. */
export interface SeriesMetric {
  readonly name: string;
  readonly unit: string;
  /** See {@link Case.better}. */
  readonly better: 'higher' | 'lower';
  readonly goal: Goal | null;
  readonly statistic: Statistic;
  /** Which samples. */
  readonly of: string;
  /** The samples that it is compared with; null where the goal is absolute. */
  readonly peer: string | null;
  /** Counts in rounds that others disturbed, too: what was lost is lost, whoever else had the machine. */
  readonly always?: boolean;
}

/**
 * A benchmark of many small things, of which each is timed alone: its rounds give samples, and its numbers are percentiles of all rounds
 * together. Ours and the peer's samples are taken in turn inside of each round.
 */
export interface Series {
  readonly name: string;
  /** Quiet rounds wanted. */
  readonly rounds: number;
  /** See {@link Case.noisy}; true unless given. */
  readonly noisy?: boolean;
  round(): Promise<Samples>;
  readonly metrics: readonly SeriesMetric[];
}

/** Runs a series; gives up after a multiple of its rounds as {@link runCase} does. */
export async function runSeries(series: Series, context: HarnessContext): Promise<Metric[]> {
  const quiet: Samples[] = [];
  const all: Samples[] = [];
  for (let attempt = 0; quiet.length < series.rounds && attempt < PATIENCE * series.rounds; attempt++) {
    if (series.noisy !== false) await context.settle?.();
    const { samples, disturbed } = await runRound(series, context);
    if (samples) all.push(samples);
    if (samples && !disturbed) quiet.push(samples);
  }
  const enough = quiet.length >= series.rounds;
  return series.metrics.map((metric) => {
    const taken = metric.always ? all : quiet;
    const counts = { rounds: taken.length, voided: all.length - taken.length };
    return { ...summarise(metric, taken, metric.always || enough, context.random), ...counts };
  });
}

/** A round that failed while others had the machine says nothing. */
async function runRound(series: Series, { noise }: HarnessContext): Promise<{ samples: Samples | undefined; disturbed: boolean }> {
  const foreignCores = noise();
  const isDisturbed = (): boolean => series.noisy !== false && foreignCores() > MAX_FOREIGN_CORES;
  try {
    return { samples: await series.round(), disturbed: isDisturbed() };
  } catch (error) {
    if (!isDisturbed()) throw error;
    return { samples: undefined, disturbed: true };
  }
}

function summarise(
  { name, unit, better, goal, statistic, of, peer }: SeriesMetric,
  rounds: readonly Samples[],
  enough: boolean,
  random: HarnessContext['random'],
): Omit<Metric, 'rounds' | 'voided'> {
  const ours = pooled(rounds, of, statistic);
  const theirs = peer === null ? undefined : pooled(rounds, peer, statistic);
  const everything = new Uint32Array(rounds.length).fill(1);
  const ratioOf = (weights: Uint32Array): number | undefined => {
    const [own, other] = [ours.of(weights), theirs?.of(weights)];
    return own === undefined || other === undefined ? undefined : ratio(better, own, other);
  };
  const deciding = (weights: Uint32Array): number | undefined => (theirs ? ratioOf(weights) : ours.of(weights));
  const interval = enough && rounds.length > 0 ? roundsInterval(rounds.length, deciding, random) : undefined;
  return {
    name,
    unit,
    ours: ours.of(everything) ?? null,
    peer: theirs?.of(everything) ?? null,
    ratio: ratioOf(everything) ?? null,
    interval: interval ?? null,
    goal,
    judgement: goal && judge(goal, interval),
  };
}

function pooled(rounds: readonly Samples[], name: string, statistic: Statistic): Pooled {
  return new Pooled(
    rounds.map((round) => round[name] ?? []),
    statistic,
  );
}
