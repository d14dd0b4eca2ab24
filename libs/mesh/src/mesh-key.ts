import {
  CACHE_PREFIX,
  CLUSTER_CONFIG_PREFIX,
  HEARTBEAT_KEY,
  ISTHMUS_CLUSTERS_PREFIX,
  ISTHMUS_HEARTBEATS_PREFIX,
  recordScope,
  STATE_PREFIX,
  SYNCED_PREFIX,
} from './keys.ts';
import { RECORD_KINDS, type RecordKind } from './record-kind.ts';

/** What a key of a mesh etcd stands for. `cluster` is undefined where the key does not carry it. */
export type MeshKey =
  | { type: 'record'; space: 'state' | 'cache'; kind: RecordKind; cluster: string | undefined; name: string }
  | { type: 'canary'; cluster: string; prefix: string }
  | { type: 'cluster-config' | 'isthmus-cluster' | 'isthmus-heartbeat'; cluster: string }
  | { type: 'heartbeat' };

const KINDS: ReadonlyMap<string, RecordKind> = new Map(RECORD_KINDS.map((kind) => [recordScope(kind), kind]));
/** What is ours has one element more. */
const OURS = 'isthmus';

/** Reads a key; undefined when it is none of the mesh's. For tools and logs: importers know the prefix they read. */
export function parseMeshKey(key: string): MeshKey | undefined {
  if (key === HEARTBEAT_KEY) return { type: 'heartbeat' };
  return (
    single(key, CLUSTER_CONFIG_PREFIX, 'cluster-config') ??
    single(key, ISTHMUS_CLUSTERS_PREFIX, 'isthmus-cluster') ??
    single(key, ISTHMUS_HEARTBEATS_PREFIX, 'isthmus-heartbeat') ??
    canary(key) ??
    record(key, STATE_PREFIX, 'state') ??
    record(key, CACHE_PREFIX, 'cache')
  );
}

/** What follows `prefix/`, unless it is empty. */
function after(key: string, prefix: string): string | undefined {
  return key.startsWith(`${prefix}/`) && key.length > prefix.length + 1 ? key.slice(prefix.length + 1) : undefined;
}

function single(key: string, prefix: string, type: 'cluster-config' | 'isthmus-cluster' | 'isthmus-heartbeat'): MeshKey | undefined {
  const cluster = after(key, prefix);
  return cluster === undefined || cluster.includes('/') ? undefined : { type, cluster };
}

function canary(key: string): MeshKey | undefined {
  const [cluster, ...prefix] = after(key, SYNCED_PREFIX)?.split('/') ?? [];
  return cluster && prefix.length > 0 ? { type: 'canary', cluster, prefix: prefix.join('/') } : undefined;
}

function record(key: string, prefix: string, space: 'state' | 'cache'): MeshKey | undefined {
  const rest = after(key, prefix)?.split('/') ?? [];
  const kind = KINDS.get(rest.splice(0, rest[0] === OURS ? 3 : 2).join('/'));
  if (kind === undefined) return undefined;
  const named = space === 'cache' || (kind !== 'identities' && kind !== 'ips');
  const cluster = named ? rest.shift() : undefined;
  if (kind === 'identities' && rest.shift() !== 'id') return undefined;
  if (kind === 'ips' && space === 'state' && rest.shift() !== 'default') return undefined;
  const name = rest.join('/');
  return name === '' || cluster === '' ? undefined : { type: 'record', space, kind, cluster, name };
}
