import type { RecordKind } from './record-kind.ts';

/** What a cluster publishes of itself. */
export const STATE_PREFIX = 'cilium/state';
/** What a cluster holds of others: the mirror that its agents read. */
export const CACHE_PREFIX = 'cilium/cache';
/** RFC 3339 time, leased, rewritten every 60 s by whoever owns the etcd. */
export const HEARTBEAT_KEY = 'cilium/.heartbeat';
/** Where cluster configurations lie, one key per cluster. */
export const CLUSTER_CONFIG_PREFIX = 'cilium/cluster-config';
/** Where the marks lie that say "this prefix has been written in full". */
export const SYNCED_PREFIX = 'cilium/synced';
/** Lock of the very first writer. Never taken by us; listed so that tools know it. */
export const INIT_LOCK_KEY = 'cilium/.initlock';
/** Hint of versions 1.14 to 1.16 that a cluster configuration is to be waited for. Not written; its value is ignored. */
export const LEGACY_CONFIG_HINT_PREFIX = 'cilium/.has-cluster-config';
/** Ours: the configured remote clusters, one unleased key each, so that an agent never takes absence of a leased key for removal. */
export const ISTHMUS_CLUSTERS_PREFIX = `${CACHE_PREFIX}/isthmus/clusters/v1`;
/** Ours: copy of each remote's heartbeat, from which agents tell the age of what they know of it. */
export const ISTHMUS_HEARTBEATS_PREFIX = `${CACHE_PREFIX}/isthmus/heartbeats/v1`;

/** The literal address space of ip keys in a cluster's own state. */
const ADDRESS_SPACE = 'default';

/** What keys of each kind begin with under state and cache. */
const PATHS: Record<RecordKind, string> = {
  nodes: 'nodes/v1',
  identities: 'identities/v1',
  ips: 'ip/v1',
  services: 'services/v1',
  serviceexports: 'serviceexports/v1',
  wireguard: 'isthmus/wireguard/v1',
  wireguardtargets: 'isthmus/wireguard-target/v1',
};

/** The only name that a record of the target has: a cluster wants one epoch. */
export const WIREGUARD_TARGET_NAME = 'target';

/** A kind of records as metrics call it (their label `scope`): resource and version of its keys, `ip/v1`. */
export function recordScope(kind: RecordKind): string {
  return PATHS[kind];
}

/** Where one kind of records of one cluster lies in an etcd. */
export interface RecordLayout {
  /** Ends in `/`; what follows in a key is the record's own name (node, id, address, namespace/name). */
  prefix: string;
  /** Key of the mark that the prefix has been written in full. */
  canary: string;
}

/** `cilium/cluster-config/<cluster>`. */
export function clusterConfigKey(cluster: string): string {
  return `${CLUSTER_CONFIG_PREFIX}/${cluster}`;
}

/** `cilium/synced/<cluster>/`: all canaries of a cluster. */
export function canaryPrefix(cluster: string): string {
  return `${SYNCED_PREFIX}/${cluster}/`;
}

/** `cilium/cache/isthmus/clusters/v1/<cluster>`. */
export function isthmusClusterKey(cluster: string): string {
  return `${ISTHMUS_CLUSTERS_PREFIX}/${cluster}`;
}

/**
 * `cilium/synced/<own>/cilium/cache/isthmus/clusters/v1`: the mark that all configured clusters are listed. Without it a list that lacks a
 * cluster says nothing: the etcd may have been wiped and not been filled again.
 */
export function isthmusClustersCanaryKey(own: string): string {
  return canaryPrefix(own) + ISTHMUS_CLUSTERS_PREFIX;
}

/** `cilium/cache/isthmus/heartbeats/v1/<cluster>`. */
export function isthmusHeartbeatKey(cluster: string): string {
  return `${ISTHMUS_HEARTBEATS_PREFIX}/${cluster}`;
}

/** Where a cluster publishes a kind of its own records (`cilium/state`). Identities and ips do not carry the cluster's name in the key. */
export function stateLayout(kind: RecordKind, cluster: string): RecordLayout {
  const path = `${STATE_PREFIX}/${PATHS[kind]}`;
  return { prefix: `${path}/${stateScope(kind, cluster)}/`, canary: canaryPrefix(cluster) + path };
}

/** Where a mirror holds a kind of records of a remote cluster (`cilium/cache`). */
export function cacheLayout(kind: RecordKind, cluster: string): RecordLayout {
  const path = `${CACHE_PREFIX}/${PATHS[kind]}`;
  const scope = kind === 'identities' ? `${cluster}/id` : cluster;
  return { prefix: `${path}/${scope}/`, canary: canaryPrefix(cluster) + path };
}

/** State or cache layout, as the cluster configuration's `cached` says. */
export function recordLayout(kind: RecordKind, cluster: string, cached: boolean): RecordLayout {
  return cached ? cacheLayout(kind, cluster) : stateLayout(kind, cluster);
}

function stateScope(kind: RecordKind, cluster: string): string {
  if (kind === 'identities') return 'id';
  return kind === 'ips' ? ADDRESS_SPACE : cluster;
}

/** `cilium/state/nodes/v1/<cluster>/<node>`. */
export function nodeKey(cluster: string, node: string): string {
  return stateLayout('nodes', cluster).prefix + node;
}

/** `cilium/state/identities/v1/id/<id>`. */
export function identityKey(id: number): string {
  return `${STATE_PREFIX}/${PATHS.identities}/id/${id}`;
}

/** `cilium/state/ip/v1/default/<address>`; a network (`10.0.0.0/24`) where the record is one. */
export function ipKey(ip: string): string {
  return `${STATE_PREFIX}/${PATHS.ips}/${ADDRESS_SPACE}/${ip}`;
}

/** `cilium/state/services/v1/<cluster>/<namespace>/<name>`. */
export function serviceKey(cluster: string, namespace: string, name: string): string {
  return `${stateLayout('services', cluster).prefix}${namespace}/${name}`;
}

/** `cilium/state/serviceexports/v1/<cluster>/<namespace>/<name>`. */
export function serviceExportKey(cluster: string, namespace: string, name: string): string {
  return `${stateLayout('serviceexports', cluster).prefix}${namespace}/${name}`;
}

/** Ours: `cilium/state/isthmus/wireguard/v1/<cluster>/<node>`. */
export function wireGuardKey(cluster: string, node: string): string {
  return stateLayout('wireguard', cluster).prefix + node;
}

/** Ours: `cilium/state/isthmus/wireguard-target/v1/<cluster>/target`. */
export function wireGuardTargetKey(cluster: string): string {
  return stateLayout('wireguardtargets', cluster).prefix + WIREGUARD_TARGET_NAME;
}
