/** Size of the mesh: how many clusters it may have. Fixed when a cluster is installed and equal in all clusters. */
export type MaxConnectedClusters = 255 | 511;

/** True for the two sizes that a mesh can have. */
export function isMeshSize(size: number): size is MaxConnectedClusters {
  return size === 255 || size === 511;
}

/** An interval of numeric identities, both ends included. */
export interface IdentityRange {
  min: number;
  max: number;
}

/** Identities below this have a fixed meaning, the same in every cluster. */
export const MIN_ALLOCATED_IDENTITY = 256;
/** Identities on the wire have 24 bits. */
export const IDENTITY_BITS = 24;
/** First identity of the scope that is local to a node (networks, DNS names). Never on the wire. */
export const NODE_LOCAL_SCOPE = 0x01000000;
/** First identity of the scope for other nodes. Never on the wire. */
export const REMOTE_NODE_SCOPE = 0x02000000;

/** Identities 100 to 107, given to well-known cluster services. Read, never allocated by us. */
export const WELL_KNOWN_IDENTITY: ReadonlyMap<number, string> = new Map([
  [100, 'etcd-operator'],
  [101, 'cilium-kvstore'],
  [102, 'kube-dns'],
  [103, 'eks-kube-dns'],
  [104, 'core-dns'],
  [105, 'cilium-operator'],
  [106, 'eks-core-dns'],
  [107, 'cilium-etcd-operator'],
]);

/** Names of the identities that mean the same everywhere. Their numbers for code are `RESERVED_IDENTITY` of the model. */
const RESERVED_NAMES: readonly string[] = [
  'unknown',
  'host',
  'world',
  'unmanaged',
  'health',
  'init',
  'remote-node',
  'kube-apiserver',
  'ingress',
  'world-ipv4',
  'world-ipv6',
  'encrypted-overlay',
];

/** Label of a reserved identity (`reserved:world`), or undefined. */
export function reservedIdentityLabel(id: number): string | undefined {
  const name = RESERVED_NAMES[id];
  return name === undefined ? undefined : `reserved:${name}`;
}

/** True for identities that are not a cluster's to give: 0 to 255. */
export function isReservedIdentity(id: number): boolean {
  return id >= 0 && id < MIN_ALLOCATED_IDENTITY;
}

/** Bits of an identity right of the cluster id: 16, or 15 in a mesh of 511. */
export function clusterIdShift(max: MaxConnectedClusters): 15 | 16 {
  return max === 511 ? 15 : 16;
}

/** The cluster that an identity belongs to: 0 for reserved ones and for a cluster without a mesh. */
export function clusterOfIdentity(id: number, max: MaxConnectedClusters): number {
  return (id & (2 ** IDENTITY_BITS - 1)) >>> clusterIdShift(max);
}

/** The identities that a cluster may give; with cluster id 0 those of a cluster without a mesh. */
export function identityRange(clusterId: number, max: MaxConnectedClusters): IdentityRange {
  const size = 2 ** clusterIdShift(max);
  const min = clusterId * size;
  return { min: Math.max(min, MIN_ALLOCATED_IDENTITY), max: min + size - 1 };
}

/** True when `id` is an integer inside the range. */
export function inIdentityRange(id: number, range: IdentityRange): boolean {
  return Number.isInteger(id) && id >= range.min && id <= range.max;
}
