import type { WireGuardTargetRow } from '@isthmus/model';
import { type Decoded, decoding, reject } from './decode-result.ts';
import { goJson } from './go-json.ts';
import { intern } from './intern.ts';
import { type JsonObject, readJsonObject, readString, readUint } from './json-reader.ts';
import { WIREGUARD_TARGET_NAME } from './keys.ts';
import { checkOwnCluster, type OwnRecordContext } from './own-record.ts';
import { canonicalTime } from './timestamp.codec.ts';

const MAX_BYTES = 16 * 1024;

/** Ours: reads the epoch that a cluster wants; it must be of the context's cluster and cluster id. */
export function decodeWireGuardTarget(bytes: Uint8Array, context: OwnRecordContext): Decoded<WireGuardTargetRow> {
  return decoding(bytes, context, MAX_BYTES, () => readTarget(readJsonObject(bytes), context));
}

function readTarget(object: JsonObject, context: OwnRecordContext): WireGuardTargetRow {
  if (context.name !== WIREGUARD_TARGET_NAME) reject('bad-key');
  checkOwnCluster(object, context);
  return {
    cluster: intern(context.cluster),
    clusterId: context.clusterId,
    target: readUint(object, 'target', 0xffff_ffff) || reject('bad-epoch'),
    startedAt: canonicalTime(readString(object, 'startedAt')) ?? reject('bad-time'),
    by: readString(object, 'by'),
    reason: readString(object, 'reason'),
  };
}

/** The record as we write it. */
export function encodeWireGuardTarget(row: WireGuardTargetRow): string {
  const { cluster, clusterId, target, startedAt, by, reason } = row;
  return goJson({ cluster, clusterID: clusterId, target, startedAt, by, reason });
}
