import { LOCAL_SCOPE } from '@isthmus/core';

/**
 * The scope of what belongs to a cluster, as map rows carry it: by number, because a cluster's name is not in the kernel. This cluster's own
 * rows and those of none (id 0) are local.
 */
export function clusterScope(clusterId: number, ownClusterId: number): string {
  return clusterId === 0 || clusterId === ownClusterId ? LOCAL_SCOPE : `cluster-${clusterId}`;
}
