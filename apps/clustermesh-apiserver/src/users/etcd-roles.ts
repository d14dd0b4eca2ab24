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
} from '@isthmus/mesh';
import { CILIUM_NODE, ENDPOINT_SLICE, KINDS, kindPrefix, NAMESPACE, objectKey, POD, SERVICE, SERVICE_EXPORT } from '@isthmus/model';

/** A role and all that it may do. */
export interface EtcdRole {
  readonly name: string;
  readonly permissions: readonly KvPermission[];
}

/** The role that may do everything. */
export const ROOT_ROLE = 'root';

/** Ours: identities that rest, leases of operators. */
const ISTHMUS_PREFIX = 'isthmus/';
const IDENTITIES_PREFIX = 'isthmus/identities/';

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
  operator: (): EtcdRole => ({ name: 'operator', permissions: [readwrite(ISTHMUS_PREFIX), readwrite(`${STATE_PREFIX}/`)] }),
  /** Reads what is exported. */
  apiserver: (): EtcdRole => ({
    name: 'apiserver',
    permissions: [`${STATE_PREFIX}/`, ...[NAMESPACE, SERVICE, ENDPOINT_SLICE, SERVICE_EXPORT].map(prefixOf)].map(read),
  }),
  /** What all agents may do. Kinds are granted one by one: secrets are none of them. */
  agent: (cluster: string): EtcdRole => ({
    name: 'agent',
    permissions: [
      ...[`${STATE_PREFIX}/`, IDENTITIES_PREFIX, ...KINDS.filter((kind) => kind.plural !== POD.plural).map(prefixOf)].map(read),
      ...[prefixOf(POD), stateLayout('ips', cluster).prefix, `${STATE_PREFIX}/identities/v1/`].map(readwrite),
    ],
  }),
  /** What one node's agent may do besides: write its own node. */
  node: (cluster: string, node: string): EtcdRole => ({
    name: `agent-${node}`,
    permissions: [objectKey(untyped(CILIUM_NODE), node), nodeKey(cluster, node)].map((key) => ({ access: 'readwrite', key })),
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
