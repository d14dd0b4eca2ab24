import { CodedError } from '@isthmus/core';
import { type ClusterFiles, clusterFiles } from '../control-plane/cluster-files.ts';
import { type EtcdSpec, etcdId, etcdsOf } from '../control-plane/etcd.ts';
import { LAB_NO_SUCH } from '../lab.errors.ts';
import type { Lab } from '../lab.ts';
import type { ClusterPlan } from '../topology/plan.ts';

/** One of the lab's etcds, with all that commands for it need. */
export interface LabEtcd {
  readonly id: string;
  readonly cluster: ClusterPlan;
  readonly files: ClusterFiles;
  readonly etcd: EtcdSpec;
}

/** Every etcd of a lab. */
export function labEtcds(lab: Lab): LabEtcd[] {
  return lab.plan.clusters.flatMap((cluster) => {
    const files = clusterFiles(cluster);
    return etcdsOf(files).map((etcd) => ({ id: etcdId(cluster, etcd), cluster, files, etcd }));
  });
}

/** The etcd of this id: `east/etcd`, `east/mesh-etcd`. @throws CodedError LAB_NO_SUCH */
export function labEtcd(lab: Lab, id: string): LabEtcd {
  const all = labEtcds(lab);
  const found = all.find((one) => one.id === id);
  if (found) return found;
  throw new CodedError(LAB_NO_SUCH, `there is no etcd ${id}; there are ${all.map((one) => one.id).join(', ')}`, { object: id });
}

export function isEtcdId(lab: Lab, id: string): boolean {
  return labEtcds(lab).some((one) => one.id === id);
}
