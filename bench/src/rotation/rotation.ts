import {
  type EncryptionView,
  encryptionOf,
  isthmus,
  Lab,
  loadTopology,
  type NodePlace,
  planLab,
  waitForEpoch,
  waitUntil,
} from '@isthmus/lab';
import type { Bench } from '../benches.ts';
import { foreignCpuMeter } from '../foreign-cpu.ts';
import type { NoiseMeter } from '../harness.ts';
import type { Samples, Series, SeriesMetric } from '../series.ts';
import { SlowStores, withSlowStores } from './slow-stores.ts';

const [LAB, TOPOLOGY] = ['benchkeys', 'encrypted'];
const STORE_DELAY_MS = 200;
/** As it is when nothing is said. */
const DRAIN_S = 3;
const ROUNDS = 15;
/** Shorter than a round: after eight changes of the first cluster the second one would follow no sooner. */
const FOLLOW_S = 5;
const [MAX_SWITCH_S, MAX_WIPE_S] = [3, DRAIN_S + 2];
/** Between two looks at what the agents say. */
const LOOK_MS = 20;
const TIMEOUT_MS = 60_000;
/** What the command wants between two changes, and a little more. */
const BETWEEN_MS = DRAIN_S * 1000 + 2_500;

let opened: SlowStores | undefined;

/**
 * How long it takes from the moment at which somebody calls `isthmus encrypt rotate` until all pairs send by the new keys, and then until no node has
 * an old one, as the agents tell it. No round is void: others' work can only lengthen a time, so that a goal is met whatever they did, and a miss
 * says something only where they did little.
 */
export const rotation: Bench = {
  name: 'rotation',
  about: `other keys for 4 nodes, ${STORE_DELAY_MS} ms from a node's write to the store until another one reads it`,
  open: async (progress) => {
    await Lab.down(LAB);
    const config = { 'wireguard-drain': String(DRAIN_S), 'wireguard-follow-interval': String(FOLLOW_S) };
    const topology = withSlowStores(LAB, loadTopology(TOPOLOGY), config);
    const stores = new SlowStores();
    opened = stores;
    const [lab] = await Promise.all([Lab.up(topology, { name: LAB, progress }), stores.start(planLab(LAB, topology), STORE_DELAY_MS)]);
    const ownProcesses = (): number[] => lab.processes.list().map(({ pid }) => pid);
    return { cases: [series(lab, foreignCpuMeter(ownProcesses), progress)], ownProcesses };
  },
  remove: async () => {
    const stores = opened;
    opened = undefined; // an interrupted run removes twice
    await stores?.stop();
    await Lab.down(LAB);
  },
};

function series(lab: Lab, noise: NoiseMeter, progress: (line: string) => void): Series {
  let last = 0;
  const round = async (): Promise<Samples> => {
    const before = await waitForEpoch(lab);
    await waitUntil(() => performance.now() >= last + BETWEEN_MS, { what: 'the next change to be allowed', timeoutMs: TIMEOUT_MS });
    const others = noise();
    last = performance.now();
    const times = await rotate(lab, before + 1);
    progress(`epoch ${before + 1}: switched after ${times.switched.toFixed(2)} s, wiped ${times.wiped.toFixed(2)} s later`);
    const after = [times.switched - times.command];
    return { switched: [times.switched], wiped: [times.wiped], command: [times.command], after, others: [others()] };
  };
  return { name: 'rotation', rounds: ROUNDS, noisy: false, round, metrics: METRICS };
}

/** One rotation. Seconds: of the command, from its begin until all have switched, and from then until old keys are gone. */
async function rotate(lab: Lab, epoch: number): Promise<{ command: number; switched: number; wiped: number }> {
  const nodes = lab.plan.clusters.flatMap((cluster) => cluster.nodes);
  const [cluster] = lab.plan.clusters;
  const began = performance.now();
  const words = ['encrypt', 'rotate', '--context', cluster!.name, '--reason', 'it is measured'];
  const command = isthmus(lab.plan, nodes[0]!, words).then(() => performance.now() - began);
  const switched = await reached(nodes, (view) => view.peers.every((peer) => peer.epoch === epoch));
  const wiped = await reached(nodes, ({ devices }) => devices.every((device) => device.epoch === null || device.epoch === epoch));
  return { command: (await command) / 1000, switched: (switched - began) / 1000, wiped: (wiped - switched) / 1000 };
}

/** When every agent said so. */
async function reached(nodes: readonly NodePlace[], isSo: (view: EncryptionView) => boolean): Promise<number> {
  const all = async (): Promise<boolean> => {
    const views = await Promise.all(nodes.map(encryptionOf));
    return views.every((view) => view !== undefined && isSo(view));
  };
  await waitUntil(all, { what: 'other keys', timeoutMs: TIMEOUT_MS, everyMs: LOOK_MS });
  return performance.now();
}

const common = { unit: 's', better: 'lower', peer: null, goal: null, statistic: 'median' } as const;

const METRICS: readonly SeriesMetric[] = [
  { ...common, name: 'asked for to last pair switched', of: 'switched', goal: { must: 'be at most', value: MAX_SWITCH_S } },
  { ...common, name: 'last pair switched to old keys wiped', of: 'wiped', goal: { must: 'be at most', value: MAX_WIPE_S } },
  { ...common, name: 'asked for to last pair switched, longest', of: 'switched', statistic: 'max' },
  { ...common, name: 'last pair switched to old keys wiped, longest', of: 'wiped', statistic: 'max' },
  { ...common, name: 'the command alone, its start included', of: 'command' },
  { ...common, name: 'end of the command to last pair switched', of: 'after' },
  { ...common, name: "others' work meanwhile", unit: 'cores', of: 'others', statistic: 'mean' },
];
