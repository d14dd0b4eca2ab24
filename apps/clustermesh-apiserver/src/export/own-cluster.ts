import type { MaxConnectedClusters } from '@isthmus/mesh';

/** The cluster whose records are exported. */
export interface OwnClusterFacts {
  readonly cluster: string;
  readonly clusterId: number;
  readonly maxConnectedClusters: MaxConnectedClusters;
}
