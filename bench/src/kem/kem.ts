import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from '../benches.ts';
import { OwnProcesses } from '../own-process.ts';
import type { Samples, Series, SeriesMetric } from '../series.ts';
import type { MeasuredKem } from './kem-program.ts';

const PROGRAM = new URL('./kem-program.ts', import.meta.url).pathname;
const PEERS = 999;
const ROUNDS = 15;
/** What an agent's Node is started with. */
const FLAGS = ['--max-semi-space-size=2'];
const MAX_TURN_MS = 20;

let opened: { readonly own: OwnProcesses; readonly folder: string } | undefined;

/**
 * What a node has to do for its preshared keys when a large mesh changes its keys: once as the lower node of all pairs, which asks, once as the higher
 * one. The others are in a thread of their own; between the two are TLS and the files, as between agents. No round is void: turns are counted in
 * processor time of the thread, which others can only lengthen.
 */
export const kem: Bench = {
  name: 'kem',
  about: `a node agrees with ${PEERS} others on preshared keys by ML-KEM-768`,
  open: async () => {
    const [own, folder] = [new OwnProcesses(), mkdtempSync(join(tmpdir(), 'isthmus-bench-kem-'))];
    opened = { own, folder };
    return { cases: [series(own, folder)] };
  },
  remove: async () => {
    opened?.own.end();
    if (opened) rmSync(opened.folder, { recursive: true, force: true });
  },
};

function series(own: OwnProcesses, folder: string): Series {
  let done = 0;
  const round = async (): Promise<Samples> => {
    const { asking, answering, takeUs, acceptUs } = await own.run<MeasuredKem>(PROGRAM, [PEERS, join(folder, String(done++))], FLAGS);
    return {
      askingTurn: [asking.longestTurnMs],
      askingCpu: [asking.cpuS],
      askingWall: [asking.wallS],
      answeringTurn: [answering.longestTurnMs],
      answeringWall: [answering.wallS],
      take: [takeUs],
      accept: [acceptUs],
    };
  };
  return { name: 'kem', rounds: ROUNDS, noisy: false, round, metrics: METRICS };
}

const common = { better: 'lower', peer: null, goal: null, statistic: 'median' } as const;
const turn = { ...common, unit: 'ms CPU', goal: { must: 'be at most', value: MAX_TURN_MS } } as const;

const METRICS: readonly SeriesMetric[] = [
  { ...turn, name: `asking ${PEERS}: longest turn of a run, median`, of: 'askingTurn' },
  { ...turn, name: `asking ${PEERS}: longest turn of all runs`, of: 'askingTurn', statistic: 'max' },
  { ...turn, name: `answering ${PEERS}: longest turn of a run, median`, of: 'answeringTurn' },
  { ...turn, name: `answering ${PEERS}: longest turn of all runs`, of: 'answeringTurn', statistic: 'max' },
  { ...common, name: `asking ${PEERS}: time`, unit: 's', of: 'askingWall' },
  { ...common, name: `answering ${PEERS}: time`, unit: 's', of: 'answeringWall' },
  { ...common, name: 'KEM, derivation and file of who asks, each', unit: 'us CPU', of: 'take' },
  { ...common, name: 'KEM, derivation and files of who answers, each', unit: 'us CPU', of: 'accept' },
];
