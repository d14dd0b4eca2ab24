import type { Bench } from '../benches.ts';
import type { Case } from '../harness.ts';
import { CacheLab } from '../mesh/cache-lab.ts';
import { MirrorLab } from '../mesh/mirror-lab.ts';
import { type MadeUpCluster, madeUpCluster } from '../mesh/remote-records.ts';

const CLUSTERS = 250;
/** Of each cluster. */
const SIZE = { nodes: 100, identities: 100, ips: 1_000 } as const;
const ROUNDS = 3;
const GOAL = { must: 'be at most', value: 60 } as const;

let agents: CacheLab | undefined;
let mirrors: MirrorLab | undefined;

/** As many clusters as a mesh may have, all at once: from the mesh etcd into a node's kernel, and from their etcd into the mesh etcd. */
export const coldSync250k: Bench = {
  name: 'cold-sync-250k',
  about: `${CLUSTERS} remote clusters of ${SIZE.ips} addresses, ${SIZE.identities} identities and ${SIZE.nodes} nodes each`,
  open: async (progress) => ({ cases: cases(progress), ownProcesses: () => (agents ?? mirrors)?.pids() ?? [] }),
  remove,
};

async function* cases(progress: (line: string) => void): AsyncGenerator<Case> {
  const clusters = Array.from({ length: CLUSTERS }, (_, index) => madeUpCluster(3 + index, SIZE));
  yield await cacheToMap(clusters, progress);
  await remove();
  yield await remoteToCache(clusters, progress);
}

function absolute(name: string, ours: () => Promise<number>): Case {
  return { name, unit: 's', better: 'lower', noisy: true, goal: GOAL, rounds: ROUNDS, ours, peer: null };
}

async function cacheToMap(clusters: readonly MadeUpCluster[], progress: (line: string) => void): Promise<Case> {
  const lab = await CacheLab.open(progress);
  agents = lab;
  await lab.publish(clusters);
  progress(`${CLUSTERS} clusters are in the mesh etcd`);
  return absolute('cache-to-map', () => lab.sync(clusters));
}

async function remoteToCache(clusters: readonly MadeUpCluster[], progress: (line: string) => void): Promise<Case> {
  const lab = await MirrorLab.open(progress);
  mirrors = lab;
  await lab.publish(clusters);
  progress(`${CLUSTERS} clusters are in the remote etcd`);
  return absolute('remote-to-cache', async () => {
    const seconds = await lab.mirror(clusters);
    await lab.forget(clusters);
    await lab.compact();
    return seconds;
  });
}

async function remove(): Promise<void> {
  const [cache, mirror] = [agents, mirrors];
  [agents, mirrors] = [undefined, undefined]; // an interrupted run removes twice
  await CacheLab.remove(cache);
  await MirrorLab.remove(mirror);
}
