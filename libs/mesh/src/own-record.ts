import { type Decoded, type RecordContext, reject, rejecting } from './decode-result.ts';
import { field, type JsonObject, readJsonObject, readRequired, readUint } from './json-reader.ts';
import { parseMeshKey } from './mesh-key.ts';

/** What one of our own records is checked against: the rules for addresses and identities, of which it has none, may be left out. */
export type OwnRecordContext = Partial<RecordContext> & Pick<RecordContext, 'cluster' | 'clusterId' | 'name'>;

/** Rejects one of our own records that names another cluster than the one that owns the place it was found in. */
export function checkOwnCluster(object: JsonObject, context: OwnRecordContext): void {
  if (readRequired(object, 'cluster') !== context.cluster) reject('foreign-cluster');
  if (readUint(object, 'clusterID', 0xffffffff) !== context.clusterId) reject('foreign-cluster-id');
}

/**
 * Reads one of our own records in its cluster's own etcd, where nothing but the record says which id the cluster has: the owner is that of the key.
 * Not for importers, who know the id that it must have.
 */
export function decodeByKey<T>(
  key: string,
  bytes: Uint8Array,
  decode: (bytes: Uint8Array, context: OwnRecordContext) => Decoded<T>,
): Decoded<T> {
  const place = parseMeshKey(key);
  if (place?.type !== 'record' || place.cluster === undefined) return { ok: false, reason: 'bad-key' };
  const id = rejecting(() => field(readJsonObject(bytes), 'clusterID'));
  if (!id.ok) return id;
  if (typeof id.value !== 'number') return { ok: false, reason: 'bad-field' };
  return decode(bytes, { cluster: place.cluster, clusterId: id.value, name: place.name });
}
