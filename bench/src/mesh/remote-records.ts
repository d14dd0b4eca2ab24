import { cacheLayout, encodeRecord, type NodeRecord, type RecordKind } from '@isthmus/mesh';

/** How much one made-up remote cluster publishes. */
export interface RemoteSize {
  readonly nodes: number;
  readonly identities: number;
  readonly ips: number;
}

/** A made-up remote cluster. Addresses of different numbers never meet, nor do they meet those of a lab. */
export interface MadeUpCluster extends RemoteSize {
  readonly name: string;
  /** 2 to 255. */
  readonly id: number;
}

/** A key of an etcd and its value. */
export type Pair = readonly [key: string, value: string];

/** Pod addresses from 20.0.0.0 on, half a million a cluster; node addresses from 40.0.0.0 on, 64 Ki a cluster. */
const [PODS, PODS_OF_CLUSTER] = [20 * 2 ** 24, 2 ** 19];
const [NODES, NODES_OF_CLUSTER] = [40 * 2 ** 24, 2 ** 16];
/** Addresses of a node: a /24 of its own. */
const [POD_CIDR_BITS, PODS_OF_NODE] = [24, 256];
/** Numbers of a cluster in an identity, and those that are reserved. */
const [IDENTITIES_OF_CLUSTER, FIRST_IDENTITY] = [2 ** 16, 256];

/** `remote-<id>`. */
export function madeUpCluster(id: number, size: RemoteSize): MadeUpCluster {
  return { name: `remote-${id}`, id, ...size };
}

/** Address of a node of a cluster, as others send to it. */
export function nodeAddress({ id }: MadeUpCluster, node: number): string {
  return dotted(NODES + id * NODES_OF_CLUSTER + node + 1);
}

/** Address of a pod: they are spread over the nodes evenly. */
export function podAddress({ id, nodes }: MadeUpCluster, pod: number): string {
  return dotted(PODS + id * PODS_OF_CLUSTER + (pod % nodes) * PODS_OF_NODE + 2 + Math.floor(pod / nodes));
}

/** A node's own address among those of its pods. @param other another one, that no pod has either */
export function hostAddress({ id }: MadeUpCluster, node: number, other = false): string {
  return dotted(PODS + id * PODS_OF_CLUSTER + node * PODS_OF_NODE + (other ? PODS_OF_NODE - 2 : 1));
}

/** Identity of a pod: pods of one identity follow each other, so that they are on different nodes, as those of one deployment. */
export function identityOf(cluster: MadeUpCluster, pod: number): number {
  return identityNumber(cluster, identityIndex(cluster, pod));
}

/** A cluster's identity by index. */
export function identityNumber({ id }: MadeUpCluster, index: number): number {
  return id * IDENTITIES_OF_CLUSTER + FIRST_IDENTITY + index;
}

/** A node's record, as an agent would write it. @param moved its own address is the other one of {@link hostAddress} */
export function nodePair(cluster: MadeUpCluster, node: number, moved = false): Pair {
  const first = PODS + cluster.id * PODS_OF_CLUSTER + node * PODS_OF_NODE;
  const record: NodeRecord = {
    cluster: cluster.name,
    name: `node-${node}`,
    clusterId: cluster.id,
    addresses: [
      { type: 'InternalIP', ip: nodeAddress(cluster, node) },
      { type: 'CiliumInternalIP', ip: hostAddress(cluster, node, moved) },
    ],
    ipv4Cidr: `${dotted(first)}/${POD_CIDR_BITS}`,
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
    bootId: `boot-${node}`,
  };
  return [keyOf(cluster, 'nodes', record.name), encodeRecord('nodes', record)];
}

/** Labels of an identity. @param revision another number, other labels; 0: none */
export function labelsOf(cluster: MadeUpCluster, index: number, revision = 0): string[] {
  return [
    `k8s:app=app-${index}`,
    `k8s:io.cilium.k8s.policy.cluster=${cluster.name}`,
    'k8s:io.kubernetes.pod.namespace=default',
    ...(revision === 0 ? [] : [`k8s:revision=${revision}`]),
  ];
}

/** An identity's record. */
export function identityPair(cluster: MadeUpCluster, index: number, revision = 0): Pair {
  const id = identityNumber(cluster, index);
  const labels = labelsOf(cluster, index, revision);
  return [keyOf(cluster, 'identities', String(id)), encodeRecord('identities', { id, labels })];
}

/** A pod's address record. @param identity another identity than the one that is its turn */
export function ipPair(cluster: MadeUpCluster, pod: number, identity = identityOf(cluster, pod)): Pair {
  const ip = podAddress(cluster, pod);
  const value = encodeRecord('ips', {
    ip,
    hostIp: nodeAddress(cluster, pod % cluster.nodes),
    identity,
    encryptionKey: 0,
    namespace: 'default',
    podName: `app-${identityIndex(cluster, pod)}-${pod}`,
    podUid: '',
    serviceAccount: '',
    namedPorts: [],
  });
  return [keyOf(cluster, 'ips', ip), value];
}

/** Everything that the cluster publishes, in the order in which an exporter writes it. */
export function* recordPairs(cluster: MadeUpCluster): Generator<Pair> {
  for (let node = 0; node < cluster.nodes; node++) yield nodePair(cluster, node);
  for (let index = 0; index < cluster.identities; index++) yield identityPair(cluster, index);
  for (let pod = 0; pod < cluster.ips; pod++) yield ipPair(cluster, pod);
}

/** Which of the cluster's identities a pod has. */
export function identityIndex({ identities, ips }: MadeUpCluster, pod: number): number {
  return Math.floor((pod * identities) / ips);
}

function keyOf({ name }: MadeUpCluster, kind: RecordKind, record: string): string {
  return cacheLayout(kind, name).prefix + record;
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}
