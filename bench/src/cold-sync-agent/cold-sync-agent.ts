import type { Bench } from '../benches.ts';
import { CacheLab } from '../mesh/cache-lab.ts';
import { etcdctlGet } from '../mesh/etcdctl-get.ts';
import { madeUpCluster } from '../mesh/remote-records.ts';

const SIZE = { nodes: 1_000, identities: 10_000, ips: 100_000 } as const;
const ROUNDS = 15;
/** At most three times as long as the peer. */
const GOAL = { must: 'be at least', value: 1 / 3 } as const;

let opened: CacheLab | undefined;

/**
 * How long an agent takes from the moment that a remote cluster is configured until every address of it is in the kernel's map, while
 * records are in the mesh etcd already; against `etcdctl get --prefix` of the same keys, which prints them and does nothing else.
 */
export const coldSyncAgent: Bench = {
  name: 'cold-sync-agent',
  about: `a remote cluster of ${SIZE.ips} addresses from the mesh etcd into the kernel, against etcdctl get of the same keys`,
  open: async (progress) => {
    opened = await CacheLab.open(progress);
    const here = opened;
    const clusters = [madeUpCluster(2, SIZE)];
    await here.publish(clusters);
    progress(`${SIZE.ips} addresses, ${SIZE.identities} identities, ${SIZE.nodes} nodes are in the mesh etcd`);
    return {
      cases: [
        {
          name: 'cache-to-map',
          unit: 's',
          better: 'lower',
          noisy: true,
          goal: GOAL,
          rounds: ROUNDS,
          ours: () => here.sync(clusters),
          peer: () => etcdctlGet(here.cluster),
        },
      ],
      ownProcesses: () => here.pids(),
    };
  },
  remove: async () => {
    const lab = opened;
    opened = undefined; // an interrupted run removes twice
    await CacheLab.remove(lab);
  },
};
