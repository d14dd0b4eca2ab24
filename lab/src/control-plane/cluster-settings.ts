import type { ClusterPlan, NodePlace } from '../topology/plan.ts';
import {
  type ClusterFiles,
  clusterFiles,
  controlUrls,
  ETCD_PORT,
  JOIN_API_PORT,
  joinApiAddress,
  MESH_ETCD_PORT,
  writeEtcdClientFile,
} from './cluster-files.ts';

/** Settings of a process, by configuration key, as text. */
export type Settings = Record<string, string>;

/** Port of the operator's health and metrics. */
export const OPERATOR_HTTP_PORT = 9963;
/** Port of the apiserver's health and metrics. */
export const APISERVER_HTTP_PORT = 9962;

/** What every process of a cluster is told. What the topology says wins over everything said here. */
export function commonSettings(cluster: ClusterPlan): Settings {
  const { pods, services } = cluster.topology;
  return {
    'cluster-name': cluster.name,
    'cluster-id': String(cluster.id),
    'cluster-pool-ipv4-cidr': pods.ipv4,
    'cluster-pool-ipv6-cidr': pods.ipv6,
    'service-cidr-ipv4': services.ipv4,
    'service-cidr-ipv6': services.ipv6,
  };
}

/** What the operator is told. */
export function operatorSettings(cluster: ClusterPlan): Settings {
  const files = clusterFiles(cluster);
  return {
    ...commonSettings(cluster),
    'etcd-config': clientFile(cluster, files, 'operator', ETCD_PORT),
    'state-dir': `${files.state}/operator`,
    'prometheus-serve-addr': `127.0.0.1:${OPERATOR_HTTP_PORT}`,
    ...cluster.topology.config,
  };
}

/** What the clustermesh-apiserver is told. */
export function apiserverSettings(cluster: ClusterPlan): Settings {
  const files = clusterFiles(cluster);
  const { ipv4 } = cluster.control.addresses;
  return {
    ...commonSettings(cluster),
    'etcd-config': clientFile(cluster, files, 'apiserver', ETCD_PORT),
    'mesh-etcd-config': clientFile(cluster, files, 'admin', MESH_ETCD_PORT),
    'clustermesh-config': files.clustermesh,
    'pki-dir': files.pkiDir,
    'state-dir': `${files.state}/apiserver`,
    'join-api-address': `0.0.0.0:${JOIN_API_PORT}`,
    'join-api-public-endpoint': `https://${ipv4}:${JOIN_API_PORT}`,
    'mesh-etcd-endpoints': controlUrls(cluster, MESH_ETCD_PORT).join(','),
    'cluster-etcd-endpoints': controlUrls(cluster, ETCD_PORT).join(','),
    'prometheus-serve-addr': `127.0.0.1:${APISERVER_HTTP_PORT}`,
    ...cluster.topology.config,
  };
}

/** What an agent is told. Paths are those that it sees; most of what it needs it finds out by itself, as on any machine. */
export function agentSettings(cluster: ClusterPlan, node: NodePlace): Settings {
  return {
    ...commonSettings(cluster),
    'node-name': node.name,
    'etcd-config': '/run/isthmus/pki/etcd-config.yaml',
    'mesh-etcd-config': '/run/isthmus/pki/mesh-etcd-config.yaml',
    'join-api-endpoint': joinApiAddress(cluster),
    'state-dir': '/run/isthmus/state',
    'socket-path': '/run/isthmus/isthmus.sock',
    'bfd-socket-path': '/run/isthmus/bfd.sock',
    ...node.config,
  };
}

function clientFile(cluster: ClusterPlan, files: ClusterFiles, user: 'operator' | 'apiserver' | 'admin', port: number): string {
  return writeEtcdClientFile(`${files.config}/${user}-${port}.yaml`, {
    endpoints: controlUrls(cluster, port),
    ca: files.pki.ca.cert,
    client: files.pki.clients[user],
  });
}
