import type { Random } from '@isthmus/core';
import { type Goal, type Judgement, judge } from './judgement.ts';
import { type Interval, median, medianInterval } from './statistics.ts';

/** One number that a benchmark is after. */
export interface Case {
  readonly name: string;
  readonly unit: string;
  /** Which way round the ratio is: ours / peer where higher is better, peer / ours where lower is, so that a higher ratio is always better. */
  readonly better: 'higher' | 'lower';
  /** null: shown, not judged. */
  readonly goal: Goal | null;
  /** Others' work changes it, as it does a speed and does not a size: disturbed rounds are void. */
  readonly noisy: boolean;
  /** Quiet rounds wanted: at least 15 where a ratio decides. */
  readonly rounds: number;
  /** Measures once. */
  ours(): Promise<number>;
  /** Measures the peer once, under the same conditions; null where the goal is absolute. */
  readonly peer: (() => Promise<number>) | null;
}

/** Starts listening; the function it returns says how many cores others used since. */
export type NoiseMeter = () => () => number;

/** What a case came to. */
export interface Metric {
  readonly name: string;
  readonly unit: string;
  /** Median of the quiet rounds; null when there was none. */
  readonly ours: number | null;
  readonly peer: number | null;
  /** Median of the rounds' ratios, see {@link Case.better}. */
  readonly ratio: number | null;
  /** 95 % interval of the ratio, of ours where there is no peer; null when too few rounds were quiet. */
  readonly interval: Interval | null;
  readonly goal: Goal | null;
  readonly judgement: Judgement | null;
  readonly rounds: number;
  /** Rounds that others disturbed, or in which nothing could be measured. */
  readonly voided: number;
}

/** What a case runs with. */
export interface HarnessContext {
  readonly noise: NoiseMeter;
  /** Called before each round of a noisy case: may wait, not for ever, until others are quiet. */
  readonly settle?: () => Promise<void>;
  /** Seeded, so that the same samples give the same interval. */
  readonly random: Random;
}

interface Round {
  readonly ours: number;
  readonly peer: number | undefined;
}

/** Cores that others may use during a round. */
export const MAX_FOREIGN_CORES = 0.5;
/** A case or series gives up after this many times its rounds. */
export const PATIENCE = 3;

/** Measures one case: ours and the peer in turn, the first of each round alternating, disturbed rounds void. */
export async function runCase(wanted: Case, { noise, settle, random }: HarnessContext): Promise<Metric> {
  const quiet: Round[] = [];
  let voided = 0;
  for (let attempt = 0; quiet.length < wanted.rounds && attempt < PATIENCE * wanted.rounds; attempt++) {
    if (wanted.noisy) await settle?.();
    const round = await quietRound(wanted, attempt % 2 === 0, noise);
    if (round) quiet.push(round);
    else voided++;
  }
  return summarise(wanted, quiet, voided, random);
}

/** Undefined when others disturbed it: then it does not even matter that it failed. */
async function quietRound(wanted: Case, oursFirst: boolean, noise: NoiseMeter): Promise<Round | undefined> {
  const foreignCores = noise();
  const isDisturbed = (): boolean => wanted.noisy && foreignCores() > MAX_FOREIGN_CORES;
  try {
    const round = await runRound(wanted, oursFirst);
    return isDisturbed() || measuredNothing(round) ? undefined : round;
  } catch (error) {
    if (isDisturbed()) return undefined;
    throw error;
  }
}

/** Everything that is measured here is above zero, unless the machine had no time for it. */
function measuredNothing({ ours, peer }: Round): boolean {
  return !(ours > 0) || (peer !== undefined && !(peer > 0));
}

async function runRound({ ours, peer }: Case, oursFirst: boolean): Promise<Round> {
  if (!peer) return { ours: await ours(), peer: undefined };
  if (oursFirst) return { ours: await ours(), peer: await peer() };
  const peerValue = await peer();
  return { ours: await ours(), peer: peerValue };
}

/** Makes a case's metric of its quiet rounds. */
function summarise(wanted: Case, quiet: readonly Round[], voided: number, random: Random): Metric {
  const ours = quiet.map((round) => round.ours);
  const peers = quiet.map((round) => round.peer).filter((value) => value !== undefined);
  const ratios = quiet.flatMap((round) => (round.peer === undefined ? [] : [ratio(wanted.better, round.ours, round.peer)]));
  const deciding = wanted.peer ? ratios : ours;
  const interval = quiet.length < wanted.rounds ? undefined : medianInterval(deciding, random);
  return {
    name: wanted.name,
    unit: wanted.unit,
    ours: medianOrNull(ours),
    peer: medianOrNull(peers),
    ratio: medianOrNull(ratios),
    interval: interval ?? null,
    goal: wanted.goal,
    judgement: wanted.goal && judge(wanted.goal, interval),
    rounds: quiet.length,
    voided,
  };
}

/** How much better ours is than the peer: above 1 it is better, whichever way the numbers go. */
export function ratio(better: Case['better'], ours: number, peer: number): number {
  return better === 'higher' ? ours / peer : peer / ours;
}

function medianOrNull(values: readonly number[]): number | null {
  return values.length === 0 ? null : median(values);
}
