import type { MaxConnectedClusters } from '@isthmus/mesh';
import type { TunnelProtocol } from '@isthmus/model';

/** The cluster whose records are exported. */
export interface OwnClusterFacts {
  readonly cluster: string;
  readonly clusterId: number;
  readonly maxConnectedClusters: MaxConnectedClusters;
  readonly tunnelProtocol: TunnelProtocol;
}
