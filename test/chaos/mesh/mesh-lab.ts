import {
  type ClusterPlan,
  clusterProblems,
  differences,
  type Lab,
  loadTopology,
  meshStatus,
  type NodeStates,
  readNodeStates,
  type StateRow,
  type Topology,
  waitUntil,
} from '@isthmus/lab';
import { withSmallEtcds } from '../chaos-lab.ts';

/** Seconds that leased keys outlive their apiserver in these labs. */
export const LEASE_S = 6;
/** MiB of records that one remote cluster may have in these labs. */
export const REMOTE_LIMIT_MIB = 4;
const TIMEOUT_MS = 45_000;

/** Three clusters of a node each, whose leases run out and whose etcds fill up while somebody waits for it. */
export const MESH_TOPOLOGY: Topology = withSmallEtcds(shortLived(loadTopology('three-clusters')));

function shortLived(topology: Topology): Topology {
  const config = {
    'mesh-lease-duration': String(LEASE_S),
    'heartbeat-interval': '2',
    'clustermesh-sync-timeout': '10',
    'clustermesh-remote-size-limit': String(REMOTE_LIMIT_MIB),
  };
  return { ...topology, clusters: topology.clusters.map((cluster) => ({ ...cluster, config: { ...cluster.config, ...config } })) };
}

/** What `isthmus clustermesh status` of a cluster says of one remote. */
export type RemoteSaid = Awaited<ReturnType<typeof meshStatus>>[number];

/** What a cluster says of a remote, once that holds. */
export async function saidOf(
  lab: Lab,
  cluster: ClusterPlan,
  remote: string,
  what: string,
  holds: (said: RemoteSaid) => boolean,
): Promise<RemoteSaid> {
  let said: RemoteSaid | undefined;
  return waitUntil(
    async () => {
      said = (await meshStatus(lab.plan, cluster)).find(({ name }) => name === remote);
      return said && holds(said) ? said : undefined;
    },
    { what: `${cluster.name} to say of ${remote} ${what}`, timeoutMs: TIMEOUT_MS, everyMs: 100, onTimeout: () => JSON.stringify(said) },
  );
}

/** A cluster says this code of a remote. */
export function saysCode(lab: Lab, cluster: ClusterPlan, remote: string, code: string): Promise<RemoteSaid> {
  return saidOf(lab, cluster, remote, code, ({ problem }) => problem?.code === code);
}

/** A cluster says of a remote that it is ready and that nothing is wrong. */
export function saysReady(lab: Lab, cluster: ClusterPlan, remote: string): Promise<RemoteSaid> {
  return saidOf(lab, cluster, remote, 'that it is ready', ({ ready, problem }) => ready && problem === undefined);
}

/** What a cluster says is wrong with its own side of the mesh. */
export async function ownProblems(lab: Lab, cluster: ClusterPlan): Promise<NonNullable<RemoteSaid['problem']>[]> {
  return [...(await clusterProblems(lab.plan, cluster))];
}

/** Every cluster says of every other one that it is ready. */
export async function allSayReady(lab: Lab): Promise<void> {
  const { clusters } = lab.plan;
  for (const cluster of clusters) for (const other of clusters) if (other !== cluster) await saysReady(lab, cluster, other.name);
}

/** Rows of the lab's own clusters, on whatever node. A row of none of them may be a stranger's. */
export function isOfLab(lab: Lab): (row: StateRow) => boolean {
  return ({ cluster }) => cluster !== undefined && lab.plan.clusters.some(({ name }) => name === cluster);
}

/** How nodes differ from before; rows that are `of`, and not even written again where `untouched`. */
export async function changes(lab: Lab, before: NodeStates, comparison: Parameters<typeof differences>[3]): Promise<string[]> {
  const now = await readNodeStates(lab);
  return [...before].flatMap(([node, state]) => differences(node, state, now.get(node), comparison));
}
