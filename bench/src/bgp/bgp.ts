import { fetchRoutingDaemons } from '@isthmus/lab';
import type { Bench } from '../benches.ts';
import type { Goal } from '../judgement.ts';
import type { Samples, Series, SeriesMetric } from '../series.ts';
import { createLink, removeLink } from './bgp-link.ts';
import { stopChildren } from './child.ts';
import type { Workload } from './load.ts';
import { type MeasuredRun, measuredRun } from './measured-run.ts';
import type { SpeakerName } from './speakers.ts';

/** A ratio decides. */
const ROUNDS = 15;
/** Those that are reported beside it. GoBGP takes minutes. */
const BESIDE: readonly { readonly name: 'FRR' | 'GoBGP'; readonly rounds: number }[] = [
  { name: 'FRR', rounds: 3 },
  { name: 'GoBGP', rounds: 1 },
];
/** Of each run, after all was announced. */
const FLAPS = 200;

/** A BGP speaker with policies between one neighbour that tells it routes and one that is told: ours, BIRD, FRR and GoBGP. */
export const bgp: Bench = {
  name: 'bgp',
  about: 'a million routes, and 100,000 of pods, through a BGP speaker with policies: ours, BIRD, FRR and GoBGP',
  open: async (progress) => {
    await fetchRoutingDaemons();
    await removeLink();
    await createLink();
    progress('the speakers take turns, each in a fresh process');
    return { cases: series() };
  },
  remove: async () => {
    await stopChildren();
    await removeLink();
  },
};

function* series(): Generator<Series> {
  yield internet(alternating('BIRD', 'full1m'));
  yield pods(alternating('BIRD', 'pod100k'));
  for (const { name, rounds } of BESIDE) {
    for (const workload of ['full1m', 'pod100k'] as const) yield beside(name, workload, rounds);
  }
}

/** Rounds of ours and a peer, who goes first alternating. */
function alternating(peer: SpeakerName, workload: Workload): () => Promise<Samples> {
  let round = 0;
  return async () => {
    const order = round++ % 2 === 0 ? (['ours', peer] as const) : ([peer, 'ours'] as const);
    const runs = new Map<SpeakerName, MeasuredRun>();
    for (const name of order) runs.set(name, await measuredRun(name, workload, FLAPS));
    return { ...samplesOf('ours', runs.get('ours')!), ...samplesOf('peer', runs.get(peer)!) };
  };
}

function samplesOf(side: 'ours' | 'peer', { flaps, ...run }: MeasuredRun): Samples {
  const all = Object.entries(run).map(([name, value]) => [`${side} ${name}`, value === undefined ? [] : [value]]);
  return { ...Object.fromEntries(all), [`${side} flaps`]: flaps };
}

function internet(round: Series['round']): Series {
  const metric = metricsOf('1M routes');
  const metrics = [
    metric('CPU', 's', 'cpu', { peer: 'peer cpu', goal: atLeast(1 / 2) }),
    metric('wall', 's', 'wall', { peer: 'peer wall', goal: atLeast(1 / 2) }),
    metric('memory at most', 'MB', 'peak', { goal: atMost(250) }),
    metric("memory at most, against BIRD's", 'MB', 'peak', { peer: 'peer peak' }),
    metric('memory after withdrawing all, against the most before', 'MB', 'emptied', { peer: 'ours loadedPeak', goal: atLeast(1) }),
    metric('one route flaps, p50', 'ms', 'flaps', { statistic: 'p50', peer: 'peer flaps' }),
    metric('one route flaps, p50', 'ms', 'flaps', { statistic: 'p50', goal: atMost(1) }),
    metric('UPDATEs sent, against those received', 'messages', 'updates', { peer: 'ours sentUpdates', goal: atLeast(1 / 1.05) }),
    metric('longest turn of a run, median', 'ms CPU', 'longestTurnMs', { goal: atMost(20) }),
    metric('longest turn of all runs', 'ms CPU', 'longestTurnMs', { statistic: 'max' }),
    metric('withdrawing all, CPU', 's', 'withdrawCpu', { peer: 'peer withdrawCpu' }),
  ];
  return { name: '1M routes', rounds: ROUNDS, round, metrics };
}

function pods(round: Series['round']): Series {
  const metric = metricsOf('100k pod routes');
  const metrics = [
    metric('CPU', 's', 'cpu', { peer: 'peer cpu', goal: atLeast(1 / 3) }),
    metric('wall', 's', 'wall', { peer: 'peer wall' }),
    metric('memory at most', 'MB', 'peak', { goal: atMost(100) }),
    metric('longest turn of a run, median', 'ms CPU', 'longestTurnMs', { goal: atMost(20) }),
  ];
  return { name: '100k pod routes', rounds: ROUNDS, round, metrics };
}

/** What is not judged, against one that is only reported. */
function beside(name: 'FRR' | 'GoBGP', workload: 'full1m' | 'pod100k', rounds: number): Series {
  const routes = workload === 'full1m' ? '1M routes' : '100k pod routes';
  const metric = metricsOf(`${routes}, peer ${name}`);
  const metrics = [
    metric('CPU', 's', 'cpu', { peer: 'peer cpu' }),
    metric('wall', 's', 'wall', { peer: 'peer wall' }),
    metric('memory at most', 'MB', 'peak', { peer: 'peer peak' }),
    metric('one route flaps, p50', 'ms', 'flaps', { statistic: 'p50', peer: 'peer flaps' }),
  ];
  return { name: `${routes}, peer ${name}`, rounds, round: alternating(name, workload), metrics };
}

type Rest = Partial<Pick<SeriesMetric, 'peer' | 'goal' | 'statistic'>>;

/** Metrics of one series: less of anything is better. @returns makes one of a sample of ours */
function metricsOf(series: string): (name: string, unit: string, of: keyof MeasuredRun, rest: Rest) => SeriesMetric {
  return (name, unit, of, { peer = null, goal = null, statistic = 'median' }) => {
    return { name: `${series}: ${name}`, unit, better: 'lower', goal, statistic, of: `ours ${of}`, peer };
  };
}

function atLeast(value: number): Goal {
  return { must: 'be at least', value };
}

function atMost(value: number): Goal {
  return { must: 'be at most', value };
}
