import { systemClock, systemRandom } from '@isthmus/core';
import { EtcdKvStore } from '@isthmus/kvstore';
import { type ClusterPlan, clusterFiles, controlUrls } from '@isthmus/lab';

/** A client of one of a cluster's etcds that may do everything; see `ETCD_PORT` and `MESH_ETCD_PORT`. */
export function etcdClient(cluster: ClusterPlan, port: number): EtcdKvStore {
  const { ca, clients } = clusterFiles(cluster).pki;
  const config = {
    endpoints: controlUrls(cluster, port).slice(0, 1),
    trustedCaFile: ca.cert,
    certFile: clients.root.cert,
    keyFile: clients.root.key,
  };
  return new EtcdKvStore({ config, clock: systemClock, random: systemRandom });
}
