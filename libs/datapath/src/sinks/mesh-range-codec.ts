import type { IdPool } from '@isthmus/core';
import type { MeshRangeRow } from '@isthmus/model';
import { decodeMeshRangeValue, encodeMeshRangeValue } from '../generated/layouts.ts';
import { ipcacheKeyBytes, textOfPrefixKey } from './address-text.ts';
import { clusterScope } from './cluster-scope.ts';
import type { MapCodec } from './map-sink.ts';

/** Pod CIDRs of other nodes as rows of `isth_mesh_ranges`. `peers` is the pool that numbers `isth_peers`. */
export function meshRangeCodec(peers: IdPool, ownClusterId: number): MapCodec<MeshRangeRow> {
  return {
    key: ipcacheKeyBytes,
    value: (_cidr, row) => encodeMeshRangeValue({ peer: row.peer === '' ? 0 : peers.idOf(row.peer), cluster: row.clusterId }),
    found: (key, value) => ({ key: textOfPrefixKey(key), scope: clusterScope(decodeMeshRangeValue(value).cluster, ownClusterId) }),
  };
}
