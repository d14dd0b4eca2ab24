import { CodedError, defineError, type IdPool } from '@isthmus/core';
import type { IpcacheRow } from '@isthmus/model';
import { decodeIpcacheValue, encodeIpcacheValue, IpcacheFlag } from '../generated/layouts.ts';
import { ipcacheKeyBytes, textOfIpcacheKey } from './address-text.ts';
import { clusterScope } from './cluster-scope.ts';
import type { MapCodec } from './map-sink.ts';

export const PEER_UNKNOWN = defineError(
  'PEER_UNKNOWN',
  'An address record names a host that no node record has.',
  'Usually the node record is on its way. If it stays: see whether that node is registered in its cluster.',
);

/** What every address is, as rows of `isth_ipcache`. `peers` is the pool that numbers `isth_peers`. */
export function ipcacheCodec(peers: IdPool, ownClusterId: number): MapCodec<IpcacheRow> {
  const refusal = refusals();
  return {
    key: ipcacheKeyBytes,
    value: (_key, row) => {
      // Refused, not written half: the entry of an earlier run stays, and a new address stays closed.
      if (!row.peerKnown) throw refusal(row.peer);
      return encodeIpcacheValue({
        identity: row.identity,
        peer: row.peer === '' ? 0 : peers.idOf(row.peer),
        flags: flagsOf(row),
        cluster: row.clusterId,
      });
    },
    found: (key, value) => ({ key: textOfIpcacheKey(key), scope: clusterScope(decodeIpcacheValue(value).cluster, ownClusterId) }),
  };
}

function flagsOf({ node, peer, inTheClear }: IpcacheRow): number {
  if (!node || peer === '') return 0;
  return IpcacheFlag.remoteNode | IpcacheFlag.tunnelHost | (inTheClear ? IpcacheFlag.inTheClear : 0);
}

/** The same error for all addresses behind one host that follow each other: an error of its own for each costs more than the address. */
function refusals(): (host: string) => CodedError {
  let last: CodedError | undefined;
  return (host) => {
    if (last?.object !== host) last = new CodedError(PEER_UNKNOWN, `no node is known to have the address ${host}`, { object: host });
    return last;
  };
}
