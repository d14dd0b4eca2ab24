import { systemClock, systemRandom } from '@isthmus/core';
import { EtcdKvStore } from '@isthmus/kvstore';
import { type ClusterPlan, clusterFiles, controlUrls } from '@isthmus/lab';

/** How a client that may do everything connects to an etcd. */
export interface ClientConfig {
  readonly endpoints: string[];
  readonly trustedCaFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** That of one of a cluster's etcds; see `ETCD_PORT` and `MESH_ETCD_PORT`. */
export function clientConfig(cluster: ClusterPlan, port: number): ClientConfig {
  const { ca, clients } = clusterFiles(cluster).pki;
  return {
    endpoints: controlUrls(cluster, port).slice(0, 1),
    trustedCaFile: ca.cert,
    certFile: clients.root.cert,
    keyFile: clients.root.key,
  };
}

/** Such a client. Call it inside of the lab's network. */
export function etcdClient(cluster: ClusterPlan, port: number): EtcdKvStore {
  return new EtcdKvStore({ config: clientConfig(cluster, port), clock: systemClock, random: systemRandom });
}
