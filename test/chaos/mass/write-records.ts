// Writes, or removes, address records of pods that do not exist, of a node that does not exist, into a cluster etcd:
//   write-records.ts put|delete <etcd client file> <cluster> <cluster id> <host ip> <first ip> <count>
// Run in the control plane's place.
import { EtcdKvStore, type KvOp, MAX_TXN_OPS, readEtcdConfig } from '@isthmus/kvstore';
import { encodeIp, encodeNode, ipKey, nodeKey } from '@isthmus/mesh';
import { ipv4Plus } from './ipv4-plus.ts';

/** Node of the invented pods. */
const NODE = 'mass';
/** Their identity, above the first one of the cluster; nobody has allocated it. */
const IDENTITY_OFFSET = 60_000;

const [verb, file = '', cluster = '', id = '', hostIp = '', first = '', count = ''] = process.argv.slice(2);
const kv = new EtcdKvStore({ config: await readEtcdConfig(file) });

function addressRecord(ip: string): string {
  const identity = Number(id) * 65_536 + IDENTITY_OFFSET;
  const names = { namespace: 'mass', podName: `pod-${ip}`, podUid: '', serviceAccount: '' };
  return encodeIp({ ip, hostIp, identity, encryptionKey: 0, ...names, namedPorts: [] });
}

function nodeRecord(): string {
  return encodeNode({
    cluster,
    name: NODE,
    clusterId: Number(id),
    addresses: [{ type: 'InternalIP', ip: hostIp }],
    ipv4Cidr: '',
    ipv4SecondaryCidrs: null,
    ipv6Cidr: '',
    ipv6SecondaryCidrs: null,
    ipv4HealthIp: '',
    ipv6HealthIp: '',
    ipv4IngressIp: '',
    ipv6IngressIp: '',
    source: 'custom-resource',
    encryptionKey: 0,
    labels: null,
    annotations: null,
    wireguardPubKey: '',
    bootId: '',
  });
}

if (verb === 'put') await kv.put(nodeKey(cluster, NODE), nodeRecord());
for (let from = 0; from < Number(count); from += MAX_TXN_OPS) {
  const length = Math.min(MAX_TXN_OPS, Number(count) - from);
  const ips = Array.from({ length }, (_, i) => ipv4Plus(first, from + i));
  const operations = ips.map(
    (ip): KvOp => (verb === 'put' ? { type: 'put', key: ipKey(ip), value: addressRecord(ip) } : { type: 'delete', key: ipKey(ip) }),
  );
  await kv.txn({ success: operations });
}
if (verb === 'delete') await kv.delete(nodeKey(cluster, NODE));
kv.close();
