import { CodedError } from '@isthmus/core';
import { type ClusterPkiPaths, clusterPkiPaths } from '@isthmus/crypto';
import { checkClusterId, checkClusterName, type MaxConnectedClusters } from '@isthmus/mesh';
import type { Config, ConfigKey } from '@isthmus/model';
import { APISERVER_SETTING } from './apiserver.errors.ts';
import type { OwnClusterFacts } from './export/own-cluster.ts';
import type { LocalClusterFacts } from './join/ports.ts';
import { type ListenAddress, parseListenAddress } from './listen-address.ts';

/** What one clustermesh-apiserver does, from the process's configuration. */
export interface ApiserverSettings {
  readonly own: OwnClusterFacts;
  /** What other clusters and nodes are told of this one. */
  readonly local: LocalClusterFacts;
  readonly pki: ClusterPkiPaths;
  readonly pkiFolder: string;
  /** Life of the certificates that this cluster signs. */
  readonly certificateMs: number;
  readonly clusterEtcdFile: string;
  readonly meshEtcdFile: string;
  readonly remotesFolder: string;
  readonly stateFolder: string;
  readonly globalByDefault: boolean;
  readonly bgpSecretsNamespace: string;
  readonly leaseSeconds: number;
  readonly heartbeatMs: number;
  /** How long readiness waits for remote clusters. */
  readonly remotesTimeoutMs: number;
  /** Bytes of records that one remote cluster may have. */
  readonly remoteMaxBytes: number;
  readonly joinApi: ListenAddress;
  /** Undefined: health and metrics are not served. */
  readonly health: ListenAddress | undefined;
}

/** Picks and converts the settings. @throws CodedError APISERVER_SETTING, APISERVER_LISTEN, MESH_CLUSTER_NAME_INVALID, MESH_CLUSTER_ID_INVALID */
export function apiserverSettings(config: Config): ApiserverSettings {
  const own = ownCluster(config);
  const health = config['prometheus-serve-addr'];
  const leaseSeconds = config['mesh-lease-duration'];
  const heartbeatSeconds = config['heartbeat-interval'];
  if (heartbeatSeconds > 60) throw missing('heartbeat-interval', 'other clusters take more than 60 s for a sign of trouble');
  return {
    own,
    local: localCluster(config, own),
    pki: clusterPkiPaths(config['pki-dir'], own.cluster),
    pkiFolder: config['pki-dir'],
    certificateMs: config['certificate-lifetime'] * 1000,
    clusterEtcdFile: config['etcd-config'],
    meshEtcdFile: config['mesh-etcd-config'] || fail('mesh-etcd-config', 'name the etcd client file of the mesh etcd'),
    remotesFolder: config['clustermesh-config'],
    stateFolder: config['state-dir'],
    globalByDefault: config['clustermesh-default-global-namespace'],
    bgpSecretsNamespace: config['bgp-secrets-namespace'],
    leaseSeconds,
    heartbeatMs: heartbeatSeconds * 1000,
    remotesTimeoutMs: config['clustermesh-sync-timeout'] * 1000,
    remoteMaxBytes: config['clustermesh-remote-size-limit'] * 1024 * 1024,
    joinApi: parseListenAddress('join-api-address', config['join-api-address']),
    health: health === '' ? undefined : parseListenAddress('prometheus-serve-addr', health),
  };
}

function ownCluster(config: Config): OwnClusterFacts {
  const maxConnectedClusters = Number(config['max-connected-clusters']) as MaxConnectedClusters;
  const [cluster, clusterId] = [config['cluster-name'], config['cluster-id']];
  const problem = checkClusterName(cluster) ?? checkClusterId(clusterId, maxConnectedClusters);
  if (problem) throw problem;
  return { cluster, clusterId, maxConnectedClusters, tunnelProtocol: config['tunnel-protocol'] };
}

function localCluster(config: Config, own: OwnClusterFacts): LocalClusterFacts {
  const endpoints = (key: 'mesh-etcd-endpoints' | 'cluster-etcd-endpoints', who: string): string[] =>
    config[key].length > 0 ? [...config[key]] : fail(key, `say how ${who}, as https URLs`);
  return {
    name: own.cluster,
    id: own.clusterId,
    maxConnectedClusters: own.maxConnectedClusters,
    tunnelProtocol: own.tunnelProtocol,
    podCIDRs: [
      ...(config['enable-ipv4'] ? config['cluster-pool-ipv4-cidr'] : []),
      ...(config['enable-ipv6'] ? config['cluster-pool-ipv6-cidr'] : []),
    ],
    endpoints: endpoints('mesh-etcd-endpoints', 'other clusters reach the mesh etcd'),
    clusterEtcdEndpoints: endpoints('cluster-etcd-endpoints', 'agents reach the cluster etcd'),
    ...joinEndpoint(config),
  };
}

/** Under which address others reach the join API, where that is known. */
function joinEndpoint(config: Config): Pick<LocalClusterFacts, 'joinEndpoint'> {
  const given = config['join-api-public-endpoint'];
  if (given !== '') return { joinEndpoint: given.startsWith('https://') ? given : `https://${given}` };
  const { host, port } = parseListenAddress('join-api-address', config['join-api-address']);
  if (['::', '0.0.0.0'].includes(host)) return {};
  return { joinEndpoint: `https://${host.includes(':') ? `[${host}]` : host}:${port}` };
}

function fail(key: ConfigKey, what: string): never {
  throw missing(key, what);
}

function missing(key: ConfigKey, what: string): CodedError {
  return new CodedError(APISERVER_SETTING, `${key}: ${what}`, { object: key });
}
