import { availableParallelism } from 'node:os';
import { CodedError, delay, systemClock } from '@isthmus/core';
import { BENCH_STALLS } from '../bench.errors.ts';
import type { Bench } from '../benches.ts';
import { cProgram } from '../c-program.ts';
import type { Samples, Series } from '../series.ts';
import { BfdPair } from './bfd-pair.ts';
import { ChildProgram } from './child-program.ts';

/** Ten minutes that count. */
const [ROUNDS, MINUTE_MS] = [10, 60_000];
/** A machine that stood still for longer excuses what failed meanwhile: of three times 50 ms then one is gone, and the scheduler's part is not told. */
const MAX_STALL_MS = 50;
/** Minutes in a row that may be void. */
const MOST_VOID = 5;
/** Before the BFD processes (10), so that they are not what keeps it from running. */
const WATCHER_PRIORITY = '20';
const SOURCE = new URL('./stall-watcher.c', import.meta.url).pathname;

interface Opened {
  readonly pair: BfdPair;
  readonly programs: ChildProgram[];
}

let opened: Opened | undefined;

/** How often BFD takes a busy machine for a broken link: each processor has an ordinary process that never rests. */
export const bfdStalls: Bench = {
  name: 'bfd-stalls',
  about:
    'false failures of BFD between two processes of ours while every processor is busy; minutes in which the machine itself stood still are void',
  open: async (progress) => {
    const pair = new BfdPair();
    const programs: ChildProgram[] = [];
    opened = { pair, programs };
    const program = await cProgram('stall-watcher', [SOURCE]);
    await pair.start();
    const watcher = new ChildProgram([program, WATCHER_PRIORITY]);
    programs.push(watcher);
    for (let cpu = 0; cpu < availableParallelism(); cpu++) programs.push(new ChildProgram([program, 'spin']));
    progress(`${pair.sessions} sessions are up, ${availableParallelism()} processors are busy`);
    return { cases: [series(() => countedMinute(pair, watcher, progress))] };
  },
  remove: async () => {
    const { pair, programs = [] } = opened ?? {};
    opened = undefined; // an interrupted run removes twice
    for (const program of programs) await program.stop();
    await pair?.stop();
  },
};

function series(round: () => Promise<Samples>): Series {
  const common = { better: 'lower', peer: null, statistic: 'sum', goal: null } as const;
  return {
    name: 'minutes',
    rounds: ROUNDS,
    noisy: false, // Others' work is more of the same.
    round,
    metrics: [
      { ...common, name: 'false downs in ten minutes', unit: 'downs', of: 'downs', goal: { must: 'be at most', value: 0 } },
      { ...common, name: 'longest stall of a minute, mean', unit: 'ms', of: 'stall', statistic: 'mean' },
      { ...common, name: 'void minutes', unit: 'minutes', of: 'void' },
      { ...common, name: 'false downs in void minutes', unit: 'downs', of: 'voidDowns' },
    ],
  };
}

/** One minute in which the machine did not stand still, and what there was before it. @throws CodedError BENCH_STALLS */
async function countedMinute(pair: BfdPair, watcher: ChildProgram, progress: (line: string) => void): Promise<Samples> {
  const voidDowns: number[] = [];
  while (voidDowns.length < MOST_VOID) {
    const { downs, stallMs } = await minute(pair, watcher);
    const isVoid = stallMs > MAX_STALL_MS;
    progress(`a minute with ${downs} false downs, the longest stall was of ${stallMs} ms${isVoid ? ': void' : ''}`);
    if (!isVoid)
      return { downs: [downs], stall: [stallMs], void: [voidDowns.length], voidDowns: [voidDowns.reduce((sum, each) => sum + each, 0)] };
    voidDowns.push(downs);
  }
  throw new CodedError(BENCH_STALLS, `${MOST_VOID} minutes in a row had a stall of more than ${MAX_STALL_MS} ms`);
}

/** A session that failed in one minute is up again before the next one begins. */
async function minute(pair: BfdPair, watcher: ChildProgram): Promise<{ downs: number; stallMs: number }> {
  await pair.up();
  pair.downs.since();
  await watcher.ask('');
  await delay(systemClock, MINUTE_MS);
  const stallMs = Number(await watcher.ask('')) / 1000;
  return { downs: pair.downs.since(), stallMs };
}
