import type { MemoryKvServer } from '@isthmus/kvstore';
import {
  encodeIp,
  encodeNode,
  encodeWireGuard,
  encodeWireGuardTarget,
  identityKey,
  ipKey,
  nodeKey,
  wireGuardKey,
  wireGuardTargetKey,
} from '@isthmus/mesh';
import { ENDPOINT_SLICE, type EndpointSlice, type ResourceStore, SERVICE, type Service } from '@isthmus/model';
import type { MemoryCluster } from './memory-clusters.ts';

/** Names that the kinds of records have in keys, in the order of those. */
export const KINDS = ['identities', 'ip', 'isthmus/wireguard-target', 'isthmus/wireguard', 'nodes', 'serviceexports', 'services'];

type Cluster = Pick<MemoryCluster, 'name' | 'id'>;

/** Puts a text, as an agent does. */
export async function put(server: MemoryKvServer, key: string, value: string): Promise<void> {
  await server.connect().put(key, value);
}

/** The key of a node and a value for it. */
export function nodeEntry({ name: cluster, id: clusterId }: MemoryCluster, name: string): [key: string, value: string] {
  const value = encodeNode({
    cluster,
    name,
    clusterId,
    addresses: [{ type: 'InternalIP', ip: '192.0.2.1' }],
    ipv4Cidr: `10.${clusterId}.1.0/24`,
    ipv4SecondaryCidrs: null,
    ipv6Cidr: '',
    ipv6SecondaryCidrs: null,
    ipv4HealthIp: '',
    ipv6HealthIp: '',
    ipv4IngressIp: '',
    ipv6IngressIp: '',
    source: 'custom-resource',
    encryptionKey: 0,
    labels: new Map(),
    annotations: new Map(),
    wireguardPubKey: '',
    bootId: '',
  });
  // A field that we do not know must come through.
  return [nodeKey(cluster, name), value.replace('{', '{"Unknown":[1, 2],')];
}

/** The key of a node's WireGuard record and a value with keys of one epoch. */
export function wireGuardEntry({ name: cluster, id: clusterId }: Cluster, name: string, epoch = 7): [key: string, value: string] {
  const publicKey = Buffer.alloc(32, `${cluster}/${name}/${epoch}`).toString('base64');
  const epochs = [{ epoch, publicKey, port: epoch % 2 === 0 ? 51_871 : 51_872 }];
  const value = encodeWireGuard({ cluster, clusterId, name, epochs, minTx: epoch, laggards: [] });
  return [wireGuardKey(cluster, name), value.replace('{', '{"Unknown":[1, 2],')];
}

/** The key of a cluster's target and a value. */
export function wireGuardTargetEntry({ name: cluster, id: clusterId }: Cluster, target: number): [key: string, value: string] {
  const value = encodeWireGuardTarget({ cluster, clusterId, target, startedAt: '2026-01-01T00:00:00Z', by: 'admin', reason: '' });
  return [wireGuardTargetKey(cluster), value];
}

/** The key of an identity of a namespace and its value. */
export function identityEntry(cluster: MemoryCluster, number: number, namespace: string): [key: string, value: string] {
  const value = `k8s:app=web;k8s:io.cilium.k8s.policy.cluster=${cluster.name};k8s:io.kubernetes.pod.namespace=${namespace};`;
  return [identityKey(cluster.id * 65_536 + number), value];
}

/** The key of an address of a pod and its value. */
export function ipEntry(cluster: MemoryCluster, ip: string, number: number, namespace: string): [key: string, value: string] {
  const identity = cluster.id * 65_536 + number;
  const pod = { namespace, podName: 'pod', podUid: '', serviceAccount: '', namedPorts: [] };
  return [ipKey(ip), encodeIp({ ip, hostIp: '192.0.2.1', identity, encryptionKey: 0, ...pod })];
}

/** Puts a record of every kind that agents and operators write, and applies a service. @returns the keys and values that were put */
export async function fill(cluster: MemoryCluster): Promise<[key: string, value: string][]> {
  const ip = `10.${cluster.id}.1.5`;
  const entries = [
    nodeEntry(cluster, 'n1'),
    identityEntry(cluster, 7, 'shop'),
    ipEntry(cluster, ip, 7, 'shop'),
    wireGuardEntry(cluster, 'n1'),
    wireGuardTargetEntry(cluster, 7),
  ];
  for (const entry of entries) await put(cluster.cluster, ...entry);
  await applyService(cluster.resources, 'shop', 'web', ip);
  return entries;
}

/** Applies a service that is shared with the mesh, with one ready backend. */
export async function applyService(resources: ResourceStore, namespace: string, name: string, backend: string): Promise<void> {
  const service: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, annotations: { 'service.cilium.io/global': 'true' } },
    spec: { clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
  };
  const slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [backend], conditions: { ready: true } }],
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  };
  await resources.apply(SERVICE, service);
  await resources.apply(ENDPOINT_SLICE, slice);
}
