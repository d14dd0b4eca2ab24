import type { Bench } from '../benches.ts';
import { MirrorLab } from '../mesh/mirror-lab.ts';
import { putAll } from '../mesh/publish.ts';
import { type MadeUpCluster, madeUpCluster, type Pair, recordPairs } from '../mesh/remote-records.ts';

const SIZE = { nodes: 1_000, identities: 10_000, ips: 100_000 } as const;
const ROUNDS = 15;
/** At most twice as long as the peer. */
const GOAL = { must: 'be at least', value: 1 / 2 } as const;
/** Transactions that the peer has on their way: as many as ours. */
const IN_FLIGHT = 8;

let opened: MirrorLab | undefined;

/**
 * How long the apiserver takes from the moment that a remote cluster is configured until it has announced every kind of its records as
 * complete in the own mesh etcd; against puts of the same keys into the same etcd, which read and check nothing.
 */
export const coldSyncMirror: Bench = {
  name: 'cold-sync-mirror',
  about: `a remote cluster of ${SIZE.ips} addresses from its etcd into our mesh etcd, against bare puts of the same keys`,
  open: async (progress) => {
    opened = await MirrorLab.open(progress);
    const here = opened;
    const cluster = madeUpCluster(3, SIZE);
    await here.publish([cluster]);
    progress(`${SIZE.ips} addresses, ${SIZE.identities} identities, ${SIZE.nodes} nodes are in the remote etcd`);
    return {
      cases: [
        {
          name: 'remote-to-cache',
          unit: 's',
          better: 'lower',
          noisy: true,
          goal: GOAL,
          rounds: ROUNDS,
          ours: () => mirrored(here, cluster),
          peer: () => barePuts(here, cluster),
        },
      ],
      ownProcesses: () => here.pids(),
    };
  },
  remove: async () => {
    const lab = opened;
    opened = undefined; // an interrupted run removes twice
    await MirrorLab.remove(lab);
  },
};

async function mirrored(here: MirrorLab, cluster: MadeUpCluster): Promise<number> {
  const seconds = await here.mirror([cluster]);
  await here.forget([cluster]);
  await here.compact();
  return seconds;
}

async function barePuts(here: MirrorLab, cluster: MadeUpCluster): Promise<number> {
  const pairs = [...elsewhere(recordPairs(cluster))];
  const started = performance.now();
  await putAll(here.cache, pairs, IN_FLIGHT);
  const seconds = (performance.now() - started) / 1000;
  await here.cache.deletePrefix('bench1/');
  await here.compact();
  return seconds;
}

/** The same keys beside those of the mirror, which would remove them: names of the same length. */
function* elsewhere(pairs: Iterable<Pair>): Generator<Pair> {
  for (const [key, value] of pairs) yield [key.replace('cilium', 'bench1'), value];
}
