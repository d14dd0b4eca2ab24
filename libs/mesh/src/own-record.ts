import { type RecordContext, reject } from './decode-result.ts';
import { type JsonObject, readRequired, readUint } from './json-reader.ts';

/** Rejects one of our own records that names another cluster than the one that owns the place it was found in. */
export function checkOwnCluster(object: JsonObject, context: RecordContext): void {
  if (readRequired(object, 'cluster') !== context.cluster) reject('foreign-cluster');
  if (readUint(object, 'clusterID', 0xffffffff) !== context.clusterId) reject('foreign-cluster-id');
}
