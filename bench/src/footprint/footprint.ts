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

const ONE_CLUSTER = [madeUpCluster(2, { nodes: 1_000, identities: 10_000, ips: 100_000 })];
const MANY_CLUSTERS = Array.from({ length: 250 }, (_, index) => madeUpCluster(3 + index, { nodes: 100, identities: 100, ips: 1_000 }));

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
  await lab.publish([...ONE_CLUSTER, ...MANY_CLUSTERS]);
  const atRest = await agentHeap(lab);
  const rounds = LARGE_ROUNDS;
  yield absolute('heap-per-ip 100k', 'B', 1024, { rounds, ours: () => heapPerIp(lab, ONE_CLUSTER, atRest) });
  yield absolute('heap-per-ip 250k', 'B', 600, { rounds, ours: () => heapPerIp(lab, MANY_CLUSTERS, atRest) });
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

/** Bytes of heap for each address, its share of nodes and identities included, as they add to those of an agent at rest. */
async function heapPerIp(lab: CacheLab, clusters: readonly MadeUpCluster[], atRest: number): Promise<number> {
  let heap = 0;
  await lab.sync(clusters, async () => {
    heap = await agentHeap(lab);
  });
  return (heap - atRest) / clusters.reduce((sum, { ips }) => sum + ips, 0);
}

async function remove(): Promise<void> {
  await AgentsAtRest.remove();
  await CacheLab.remove(cache);
  [agents, cache] = [undefined, undefined];
}
