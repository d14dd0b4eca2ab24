import { decodeIp, encodeIp, ipKey, type MaxConnectedClusters, stateLayout, WIREGUARD_ENCRYPTION_KEY } from '@isthmus/mesh';
import type { KvRecordCodec } from './kv-record-sink.ts';
import type { PublishedIpRow } from './published-rows.ts';

/**
 * Address records of this node's pods: those that name it as their host.
 * @param encrypted the node is reached by WireGuard
 */
export function publishedIpCodec(
  owner: { cluster: string; clusterId: number; maxConnectedClusters: MaxConnectedClusters },
  hostIp: string,
  encrypted: boolean,
): KvRecordCodec<PublishedIpRow> {
  const { prefix } = stateLayout('ips', owner.cluster);
  return {
    key: ipKey,
    value: (ip, row) =>
      encodeIp({
        ip,
        hostIp: row.hostIp,
        identity: row.identity,
        encryptionKey: encrypted ? WIREGUARD_ENCRYPTION_KEY : 0,
        namespace: row.namespace,
        podName: row.pod,
        podUid: '',
        serviceAccount: '',
        namedPorts: [],
      }),
    prefix,
    own: (key, value) => {
      const name = key.slice(prefix.length);
      const decoded = decodeIp(value, { ...owner, name });
      return decoded.ok && decoded.value.hostIp === hostIp ? name : undefined;
    },
  };
}
