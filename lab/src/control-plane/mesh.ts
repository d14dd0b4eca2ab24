import { CodedError } from '@isthmus/core';
import type { ClusterInfo, RemoteStatus } from '@isthmus/crypto';
import { LAB_COMMAND } from '../lab.errors.ts';
import type { ClusterPlan, LabPlan } from '../topology/plan.ts';
import { isthmus, tryIsthmus } from './isthmus-command.ts';

const WAIT = '60s';

/** Joins every two clusters of a lab with the command line, and waits until each mirrors all others. */
export async function connectAll(plan: LabPlan): Promise<void> {
  for (const [index, cluster] of plan.clusters.entries()) {
    const others = plan.clusters.slice(index + 1).map((other) => other.name);
    if (others.length > 0) await connect(plan, cluster, others);
  }
  await Promise.all(plan.clusters.map((cluster) => waitForMesh(plan, cluster)));
}

/** `isthmus clustermesh connect`, run in the control plane of one of the clusters. */
export async function connect(plan: LabPlan, cluster: ClusterPlan, others: readonly string[]): Promise<void> {
  await isthmus(plan, cluster.control, ['clustermesh', 'connect', '--context', cluster.name, '--destination-context', ...others]);
}

/** `isthmus clustermesh disconnect`: both sides forget each other. */
export async function disconnect(plan: LabPlan, cluster: ClusterPlan, other: string): Promise<void> {
  await isthmus(plan, cluster.control, ['clustermesh', 'disconnect', '--context', cluster.name, '--destination-context', other]);
}

/** `isthmus clustermesh status`: how a cluster's remotes do, ready or not. */
export async function meshStatus(plan: LabPlan, cluster: ClusterPlan): Promise<readonly RemoteStatus[]> {
  return (await readStatus(plan, cluster)).remotes;
}

/** The same command: what a cluster says is wrong with its own side of the mesh. */
export async function clusterProblems(plan: LabPlan, cluster: ClusterPlan): Promise<NonNullable<ClusterInfo['problems']>> {
  return (await readStatus(plan, cluster)).cluster.problems ?? [];
}

interface MeshStatus {
  readonly cluster: Pick<ClusterInfo, 'problems'>;
  readonly remotes: readonly RemoteStatus[];
}

/** @throws CodedError LAB_COMMAND when the cluster's apiserver does not answer */
async function readStatus(plan: LabPlan, cluster: ClusterPlan): Promise<MeshStatus> {
  const { stdout, stderr } = await tryIsthmus(plan, cluster.control, ['clustermesh', 'status', '--context', cluster.name, '-o', 'json']);
  if (stdout !== '') return JSON.parse(stdout) as MeshStatus;
  throw new CodedError(LAB_COMMAND, `${cluster.name} does not tell its status: ${stderr.trim()}`, { object: cluster.name });
}

/** Waits until a cluster's apiserver mirrors every cluster that it is connected with. */
export async function waitForMesh(plan: LabPlan, cluster: ClusterPlan): Promise<void> {
  await isthmus(plan, cluster.control, ['clustermesh', 'status', '--context', cluster.name, '--wait', '--wait-duration', WAIT]);
}
