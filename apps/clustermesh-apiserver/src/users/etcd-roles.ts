import type { KvPermission } from '@isthmus/kvstore';
import {
  CACHE_PREFIX,
  CLUSTER_CONFIG_PREFIX,
  canaryPrefix,
  clusterConfigKey,
  HEARTBEAT_KEY,
  nodeKey,
  STATE_PREFIX,
  SYNCED_PREFIX,
  stateLayout,
  wireGuardKey,
  wireGuardTargetKey,
} from '@isthmus/mesh';
import {
  CILIUM_BGP_NODE_CONFIG,
  CILIUM_NODE,
  ENDPOINT_SLICE,
  KINDS,
  kindPrefix,
  NAMESPACE,
  objectKey,
  POD,
  SECRET,
  SERVICE,
  SERVICE_EXPORT,
} from '@isthmus/model';

/** A role and all that it may do. */
export interface EtcdRole {
  readonly name: string;
  readonly permissions: readonly KvPermission[];
}

/** The role that may do everything. */
export const ROOT_ROLE = 'root';

/** Ours: identities that rest. */
const IDENTITIES_PREFIX = 'isthmus/identities/';
/** Ours: leases of operators. */
const LEASES_PREFIX = 'isthmus/leases/';
/** Ours: who changed the keys of encryption, and when. */
const ENCRYPTION_PREFIX = 'isthmus/encryption/';
/** Kinds that are granted as a whole: rights cannot be taken out of a prefix again, and secrets are granted by namespace alone. */
const OPEN_KINDS = KINDS.filter(({ plural }) => plural !== SECRET.plural);
const OPEN_KINDS_BUT_PODS = OPEN_KINDS.filter(({ plural }) => plural !== POD.plural);

/** Roles of a mesh etcd (reference: clustermesh §2.2; docs/wire.md, "Rights"). */
export const meshRoles = {
  /** The cluster's own agents. */
  local: (): EtcdRole => ({
    name: 'local',
    permissions: [HEARTBEAT_KEY, `${CACHE_PREFIX}/`, `${CLUSTER_CONFIG_PREFIX}/`, `${SYNCED_PREFIX}/`].map(read),
  }),
  /** Other clusters. Readers follow single keys as prefixes, so the heartbeat and the configuration are granted as such. */
  remote: (cluster: string): EtcdRole => ({
    name: 'remote',
    permissions: [HEARTBEAT_KEY, `${STATE_PREFIX}/`, clusterConfigKey(cluster), canaryPrefix(cluster)].map(read),
  }),
} as const;

/** Roles of a cluster etcd. */
export const clusterRoles = {
  /** People. */
  admin: (): EtcdRole => ({ name: 'admin', permissions: [readwrite('')] }),
  /** `secrets`: the namespace of BGP passwords, of which it tells which are missing. */
  operator: (secrets: string): EtcdRole => ({
    name: 'operator',
    permissions: [
      ...[prefixOf(POD), secretsOf(secrets)].map(read),
      ...[IDENTITIES_PREFIX, LEASES_PREFIX, ENCRYPTION_PREFIX, `${STATE_PREFIX}/`, ...OPEN_KINDS_BUT_PODS.map(prefixOf)].map(readwrite),
    ],
  }),
  /** Reads what is exported; brings the keys of encryption to where a cluster is that joins. */
  apiserver: (cluster: string): EtcdRole => ({
    name: 'apiserver',
    permissions: [
      ...[`${STATE_PREFIX}/`, ...[NAMESPACE, SERVICE, ENDPOINT_SLICE, SERVICE_EXPORT].map(prefixOf)].map(read),
      { access: 'readwrite', key: wireGuardTargetKey(cluster) },
      readwrite(ENCRYPTION_PREFIX),
    ],
  }),
  /** What all agents may do. `secrets`: the namespace of BGP passwords. */
  agent: (cluster: string, secrets: string): EtcdRole => ({
    name: 'agent',
    permissions: [
      ...[`${STATE_PREFIX}/`, IDENTITIES_PREFIX, secretsOf(secrets), ...OPEN_KINDS_BUT_PODS.map(prefixOf)].map(read),
      ...[prefixOf(POD), stateLayout('ips', cluster).prefix, `${STATE_PREFIX}/identities/v1/`].map(readwrite),
    ],
  }),
  /** What one node's agent may do besides: write its own node, its WireGuard keys, and what its BGP sessions are like. */
  node: (cluster: string, node: string): EtcdRole => ({
    name: `agent-${node}`,
    permissions: [
      objectKey(untyped(CILIUM_NODE), node),
      objectKey(untyped(CILIUM_BGP_NODE_CONFIG), node),
      nodeKey(cluster, node),
      wireGuardKey(cluster, node),
    ].map((key) => ({ access: 'readwrite', key })),
  }),
} as const;

function read(prefix: string): KvPermission {
  return { access: 'read', prefix };
}

function readwrite(prefix: string): KvPermission {
  return { access: 'readwrite', prefix };
}

type AnyKind = Parameters<typeof kindPrefix>[0];

/** Keys depend on a kind's names only, never on its type of object. */
function untyped(kind: object): AnyKind {
  return kind as AnyKind;
}

function prefixOf(kind: object): string {
  return kindPrefix(untyped(kind));
}

/** Secrets of one namespace. */
function secretsOf(namespace: string): string {
  return kindPrefix(untyped(SECRET), namespace);
}
