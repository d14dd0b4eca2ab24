import type { IdPool } from '@isthmus/core';
import type { PeerRow, WireGuardTxRow } from '@isthmus/model';
import { AddrFamily, decodePeerValue, encodePeerValue, PeerMode, PeerTx } from '../generated/layouts.ts';
import { addrKeyOfText, textOfAddrKey } from './address-text.ts';
import { clusterScope } from './cluster-scope.ts';
import type { MapCodec } from './map-sink.ts';
import { encodeId } from './numbered-rows.ts';

/** Address of the peer that a row of `isth_peers` stands for. */
export function peerAddress(value: Uint8Array): string {
  const { family, addr } = decodePeerValue(value);
  return textOfAddrKey({ net: 0, family: family === AddrFamily.ipv4 ? AddrFamily.ipv4 : AddrFamily.ipv6, addr });
}

/** Which WireGuard device the rows of `isth_peers` send by, by the peer's address; closed peers are left out. */
export function peerTx(entries: Iterable<readonly [Uint8Array, Uint8Array]>): Map<string, WireGuardTxRow['device']> {
  const devices = new Map<string, WireGuardTxRow['device']>();
  for (const [, value] of entries) {
    const { tx } = decodePeerValue(value);
    if (tx === PeerTx.even) devices.set(peerAddress(value), 'even');
    if (tx === PeerTx.odd) devices.set(peerAddress(value), 'odd');
  }
  return devices;
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
        tx: PeerTx[row.tx],
        addr,
        cluster: row.clusterId,
      });
    },
    found: (_key, value) => ({ key: peerAddress(value), scope: clusterScope(decodePeerValue(value).cluster, ownClusterId) }),
    absent: (key) => !pool.has(key),
    deleted: (key) => pool.release(key),
  };
}
