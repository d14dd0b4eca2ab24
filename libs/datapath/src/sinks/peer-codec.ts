import type { IdPool } from '@isthmus/core';
import type { PeerRow } from '@isthmus/model';
import { AddrFamily, decodePeerValue, encodePeerValue, PeerMode } from '../generated/layouts.ts';
import { addrKeyOfText, textOfAddrKey } from './address-text.ts';
import { clusterScope } from './cluster-scope.ts';
import type { MapCodec } from './map-sink.ts';
import { encodeId } from './numbered-rows.ts';

/** Address of the peer that a row of `isth_peers` stands for. */
export function peerAddress(value: Uint8Array): string {
  const { family, addr } = decodePeerValue(value);
  return textOfAddrKey({ net: 0, family: family === AddrFamily.ipv4 ? AddrFamily.ipv4 : AddrFamily.ipv6, addr });
}

/** Peers, by address, as rows of `isth_peers`, numbered by `pool`. */
export function peerCodec(pool: IdPool, ownClusterId: number): MapCodec<PeerRow> {
  return {
    key: (address) => encodeId(pool.idOf(address)),
    value: (address, row) => {
      const { family, addr } = addrKeyOfText(address);
      return encodePeerValue({
        family,
        mode: PeerMode[row.mode],
        tx: 0,
        addr,
        cluster: row.clusterId,
      });
    },
    found: (_key, value) => ({ key: peerAddress(value), scope: clusterScope(decodePeerValue(value).cluster, ownClusterId) }),
    absent: (key) => !pool.has(key),
    deleted: (key) => pool.release(key),
  };
}
