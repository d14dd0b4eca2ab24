import type { Bench } from '../benches.ts';
import type { Case } from '../harness.ts';
import { CacheLab } from '../mesh/cache-lab.ts';
import { type MadeUpCluster, madeUpCluster } from '../mesh/remote-records.ts';
import { agentHeap } from './agent-heap.ts';
import { AgentsAtRest } from './agents-at-rest.ts';
import { type MillionRows, millionRows } from './million-rows-process.ts';

/** One sample each would do if the machine were quiet. */
const ROUNDS = 15;
/** Each takes a listing of all addresses, or a table of a million. */
const LARGE_ROUNDS = 3;

/** Addresses are what is counted by: the rest of the cluster is the same. */
const OF_100K = [madeUpCluster(2, { nodes: 1_000, identities: 10_000, ips: 100_000 })];
const OF_250K = [madeUpCluster(3, { nodes: 1_000, identities: 10_000, ips: 250_000 })];
/** As many addresses in as many clusters as a mesh may have. */
const CLUSTERS = 250;
const MANY_CLUSTERS = Array.from({ length: CLUSTERS }, (_, index) => madeUpCluster(4 + index, { nodes: 100, identities: 100, ips: 1_000 }));

let agents: AgentsAtRest | undefined;
let cache: CacheLab | undefined;

/** What an agent costs a node: at rest, when it starts, and with a large mesh in its tables. All goals are absolute. */
export const footprint: Bench = {
  name: 'footprint',
  about: 'memory of an agent at rest and with 100,000 and 250,000 remote addresses, its start, and a table of a million rows',
  open: async (progress) => ({ cases: cases(progress), ownProcesses: () => (agents ?? cache)?.pids() ?? [] }),
  remove,
};

async function* cases(progress: (line: string) => void): AsyncGenerator<Case> {
  yield* ofAgents(await AgentsAtRest.open(progress));
  await remove();
  yield* ofLargeMeshes(await CacheLab.open(progress));
  await remove();
  yield* ofTables();
}

function* ofAgents(atRest: AgentsAtRest): Generator<Case> {
  agents = atRest;
  yield absolute('rss-idle', 'MB', 120, { rounds: ROUNDS, ours: () => atRest.largestMemory() });
  yield absolute('start-to-ready', 's', 2, { rounds: ROUNDS, noisy: true, ours: () => atRest.restartNext() });
}

async function* ofLargeMeshes(lab: CacheLab): AsyncGenerator<Case> {
  cache = lab;
  await lab.publish([...OF_100K, ...OF_250K, ...MANY_CLUSTERS]);
  const atRest = await agentHeap(lab);
  const measured = (clusters: readonly MadeUpCluster[]) => ({ rounds: LARGE_ROUNDS, ours: () => heapPerIp(lab, clusters, atRest) });
  yield absolute('heap of 100k addresses, each', 'B', 1024, measured(OF_100K));
  yield absolute('heap of 250k addresses, each', 'B', 600, measured(OF_250K));
  yield { ...absolute(`heap of ${CLUSTERS} clusters, each address`, 'B', 0, measured(MANY_CLUSTERS)), goal: null };
}

function* ofTables(): Generator<Case> {
  const rounds = LARGE_ROUNDS;
  const measured = (what: keyof MillionRows) => async (): Promise<number> => (await millionRows())[what];
  yield absolute('row of a million', 'B', 400, { rounds, ours: measured('bytesPerRow') });
  yield absolute('longest turn of a million rows', 'ms CPU', 50, { rounds, noisy: true, ours: measured('longestTurnMs') });
}

function absolute(name: string, unit: string, atMost: number, rest: Pick<Case, 'rounds' | 'ours'> & Partial<Case>): Case {
  return { name, unit, better: 'lower', noisy: false, goal: { must: 'be at most', value: atMost }, peer: null, ...rest };
}

/** Bytes of heap for each address, its share of nodes, identities and connections included, as they add to those of an agent at rest. */
async function heapPerIp(lab: CacheLab, clusters: readonly MadeUpCluster[], atRest: number): Promise<number> {
  let heap = 0;
  await lab.sync(clusters, async () => {
    heap = await agentHeap(lab);
  });
  return (heap - atRest) / clusters.reduce((sum, { ips }) => sum + ips, 0);
}

async function remove(): Promise<void> {
  const lab = cache;
  [agents, cache] = [undefined, undefined]; // an interrupted run removes twice
  await CacheLab.remove(lab);
  await AgentsAtRest.remove();
}
