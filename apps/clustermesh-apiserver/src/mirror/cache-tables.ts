import type { Sink, Store, TableWriter } from '@isthmus/core';
import {
  CLUSTER_CONFIG_PREFIX,
  cacheLayout,
  canaryPrefix,
  ISTHMUS_CLUSTERS_PREFIX,
  ISTHMUS_HEARTBEATS_PREFIX,
  parseMeshKey,
  type RecordKind,
  SYNCED_PREFIX,
} from '@isthmus/mesh';
import { byKind } from '../by-kind.ts';
import type { LeasedKeys } from '../mesh-etcd/leased-keys.ts';
import type { MeshEtcd } from '../mesh-etcd/mesh-etcd.ts';

/** The mirror of all remote clusters, as tables of keys of the own mesh etcd. Scopes are the remotes' names. */
export interface CacheTables {
  /** Values by {@link cacheKey}. */
  readonly records: Readonly<Record<RecordKind, TableWriter<string>>>;
  readonly recordSinks: Readonly<Record<RecordKind, Sink<string>>>;
  /** Cluster configurations and canaries, by whole key. */
  readonly leased: LeasedKeys;
  /** The configured clusters, by name. */
  readonly clusters: TableWriter<string>;
  readonly clusterSink: Sink<string>;
  /** Copies of heartbeats, by name. */
  readonly heartbeats: TableWriter<string>;
}

/**
 * Declares the tables of the mirror. Deletions go against the order of the sinks: who reads the mirror learns first that a cluster is not
 * configured any more, and only then sees its leased keys and its records go.
 */
export function declareCacheTables(store: Store, mesh: MeshEtcd, own: string): CacheTables {
  const records = byKind((kind) => store.table<string>(`cache/${kind}`));
  const clusters = store.table<string>('cache/clusters');
  const heartbeats = store.table<string>('cache/heartbeats');
  const recordSinks = byKind((kind) =>
    mesh.add({ name: `cache/${kind}`, table: records[kind].table, prefix: cacheBase(kind), scopeOf: firstPart }),
  );
  const leased = mesh.addLeased({
    name: 'cache/leased',
    listed: [`${CLUSTER_CONFIG_PREFIX}/`, `${SYNCED_PREFIX}/`],
    scopeOf: (key) => remoteOf(key, own),
    after: Object.values(recordSinks),
  });
  const byName = (name: string, table: TableWriter<string>, prefix: string, after: readonly Sink<string>[]): Sink<string> =>
    mesh.add({ name, table: table.table, prefix: `${prefix}/`, scopeOf: (cluster) => cluster, after });
  const clusterSink = byName('cache/clusters', clusters, ISTHMUS_CLUSTERS_PREFIX, [leased.sink]);
  // Not behind anything: an age that grows while much is written would tell of an outage that is none.
  byName('cache/heartbeats', heartbeats, ISTHMUS_HEARTBEATS_PREFIX, []);
  return { records, recordSinks, leased, clusters, clusterSink, heartbeats };
}

/** Every table of the mirror. */
export function cacheWriters({ records, leased, clusters, heartbeats }: CacheTables): readonly TableWriter<string>[] {
  return [...Object.values(records), leased.writer, clusters, heartbeats];
}

/** Key of a record in its kind's table: what follows the part that all clusters share. */
export function cacheKey(kind: RecordKind, cluster: string, name: string): string {
  return cacheLayout(kind, cluster).prefix.slice(cacheBase(kind).length) + name;
}

/** What all clusters' keys of a kind begin with: their canaries name it. */
function cacheBase(kind: RecordKind): string {
  return `${cacheLayout(kind, '').canary.slice(canaryPrefix('').length)}/`;
}

function firstPart(rowKey: string): string {
  return rowKey.slice(0, rowKey.indexOf('/'));
}

/** The remote cluster whose leased key this is; undefined for our own and for what is no such key. */
function remoteOf(key: string, own: string): string | undefined {
  const parsed = parseMeshKey(key);
  if (parsed?.type !== 'cluster-config' && parsed?.type !== 'canary') return undefined;
  return parsed.cluster === own ? undefined : parsed.cluster;
}
