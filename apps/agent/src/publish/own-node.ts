import { encodeNode, type NodeRecord, nodeKey, stateLayout, WIREGUARD_ENCRYPTION_KEY, WIREGUARD_EPOCHS_ANNOTATION } from '@isthmus/mesh';
import { parseCidr } from '@isthmus/net';
import type { PodAddresses } from '../endpoint/endpoint-ports.ts';
import type { KvRecordCodec } from './kv-record-sink.ts';

/** What a node publishes of itself. Its table has one row; key: the node's name. */
export interface OwnNodeRow {
  readonly cluster: string;
  readonly clusterId: number;
  readonly name: string;
  readonly internal: PodAddresses;
  readonly podHost: PodAddresses;
  readonly podCidrs: readonly string[];
  readonly bootId: string;
  /** It encrypts by WireGuard; the key is for those who know of no epochs. Opted out, its own packets are in the clear. */
  readonly encryption?: { readonly publicKey: string; readonly isOptedOut: boolean };
}

/** The node as its mesh record. */
export function ownNodeRecord(row: OwnNodeRow): NodeRecord {
  const of = (family: 4 | 6): string[] => row.podCidrs.filter((cidr) => parseCidr(cidr)?.family === family);
  const addresses = [
    { type: 'InternalIP', ip: row.internal.ipv4 },
    { type: 'InternalIP', ip: row.internal.ipv6 },
    { type: 'CiliumInternalIP', ip: row.podHost.ipv4 },
    { type: 'CiliumInternalIP', ip: row.podHost.ipv6 },
  ];
  const [[ipv4Cidr = '', ...ipv4More], [ipv6Cidr = '', ...ipv6More]] = [of(4), of(6)];
  return {
    cluster: row.cluster,
    name: row.name,
    clusterId: row.clusterId,
    addresses: addresses.filter(({ ip }) => ip !== ''),
    ipv4Cidr,
    ipv4SecondaryCidrs: ipv4More.length > 0 ? ipv4More : null,
    ipv6Cidr,
    ipv6SecondaryCidrs: ipv6More.length > 0 ? ipv6More : null,
    ipv4HealthIp: '',
    ipv6HealthIp: '',
    ipv4IngressIp: '',
    ipv6IngressIp: '',
    source: 'custom-resource',
    encryptionKey: row.encryption && !row.encryption.isOptedOut ? WIREGUARD_ENCRYPTION_KEY : 0,
    labels: new Map(),
    annotations: new Map(row.encryption ? [[WIREGUARD_EPOCHS_ANNOTATION, 'true']] : []),
    wireguardPubKey: row.encryption?.publicKey ?? '',
    bootId: row.bootId,
  };
}

/** The node's own key. Removing it is the operator's business: a node that stops has not left. */
export function ownNodeCodec(cluster: string): KvRecordCodec<OwnNodeRow> {
  return {
    key: (name) => nodeKey(cluster, name),
    value: (_name, row) => encodeNode(ownNodeRecord(row)),
    prefix: stateLayout('nodes', cluster).prefix,
    own: () => undefined,
  };
}
