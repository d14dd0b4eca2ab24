import { readIp, readOptionalIp } from './address-text.ts';
import { cidrObject, readCidr } from './cidr.codec.ts';
import { type Decoded, decoding, type RecordContext, reject } from './decode-result.ts';
import { goJson } from './go-json.ts';
import { intern } from './intern.ts';
import {
  asObject,
  field,
  type JsonObject,
  readArray,
  readJsonObject,
  readRequired,
  readShared,
  readString,
  readStringMap,
  readUint,
  type StringMap,
} from './json-reader.ts';
import { checkOther, checkPods } from './record-addresses.ts';

/** What Cilium writes where a node, or an address behind it, is reached by WireGuard. */
export const WIREGUARD_ENCRYPTION_KEY = 255;

/** Ours: annotation of a node whose keys have epochs, with the value `true`. What else it is reached by is in its record of WireGuard keys. */
export const WIREGUARD_EPOCHS_ANNOTATION = 'isthmus.io/wireguard-epochs';

/** One address of a node. */
export interface NodeAddress {
  /** `InternalIP` (the tunnel endpoint), `ExternalIP`, `CiliumInternalIP`, … */
  type: string;
  ip: string;
}

/** A node of a cluster: `cilium/state/nodes/v1/<cluster>/<node>`. Addresses and networks are canonical text, `''` when unset. */
export interface NodeRecord {
  cluster: string;
  name: string;
  clusterId: number;
  /** null and empty are written differently; readers treat them alike. The same holds for every list and map below. */
  addresses: readonly NodeAddress[] | null;
  ipv4Cidr: string;
  ipv4SecondaryCidrs: readonly string[] | null;
  ipv6Cidr: string;
  ipv6SecondaryCidrs: readonly string[] | null;
  ipv4HealthIp: string;
  ipv6HealthIp: string;
  ipv4IngressIp: string;
  ipv6IngressIp: string;
  /** Always `custom-resource` in what Cilium exports. */
  source: string;
  /** 0: not encrypted; {@link WIREGUARD_ENCRYPTION_KEY}; otherwise an IPsec key index, 1 to 15. */
  encryptionKey: number;
  labels: StringMap | null;
  annotations: StringMap | null;
  /** Base64 X25519 key, `''` when WireGuard is off. */
  wireguardPubKey: string;
  /** Kernel boot id. */
  bootId: string;
}

const MAX_BYTES = 512 * 1024; // a Kubernetes object's annotations end at 256 KiB

/** Reads a node; it must be of the context's cluster and cluster id, named as its key, and have addresses that the cluster may have. */
export function decodeNode(bytes: Uint8Array, context: RecordContext): Decoded<NodeRecord> {
  return decoding(bytes, context, MAX_BYTES, () => readNode(readJsonObject(bytes), context));
}

function readNode(object: JsonObject, context: RecordContext): NodeRecord {
  checkOwner(object, context);
  const node = readFields(object, context);
  const secondary = [...(node.ipv4SecondaryCidrs ?? []), ...(node.ipv6SecondaryCidrs ?? [])];
  for (const cidr of [node.ipv4Cidr, node.ipv6Cidr, ...secondary]) checkPods(cidr, context);
  for (const { ip } of node.addresses ?? []) checkOther(ip, context);
  return node;
}

function readFields(object: JsonObject, context: RecordContext): NodeRecord {
  return {
    cluster: intern(context.cluster),
    name: context.name,
    clusterId: context.clusterId,
    addresses: readAddresses(object),
    ipv4Cidr: readCidr(field(object, 'IPv4AllocCIDR'), 4),
    ipv4SecondaryCidrs: readArray(object, 'IPv4SecondaryAllocCIDRs', (element) => readCidr(element, 4) || reject('bad-cidr')),
    ipv6Cidr: readCidr(field(object, 'IPv6AllocCIDR'), 6),
    ipv6SecondaryCidrs: readArray(object, 'IPv6SecondaryAllocCIDRs', (element) => readCidr(element, 6) || reject('bad-cidr')),
    ipv4HealthIp: readOptionalIp(readString(object, 'IPv4HealthIP')),
    ipv6HealthIp: readOptionalIp(readString(object, 'IPv6HealthIP')),
    ipv4IngressIp: readOptionalIp(readString(object, 'IPv4IngressIP')),
    ipv6IngressIp: readOptionalIp(readString(object, 'IPv6IngressIP')),
    source: readShared(object, 'Source'),
    encryptionKey: readUint(object, 'EncryptionKey', 255),
    labels: readStringMap(object, 'Labels'),
    annotations: readStringMap(object, 'Annotations'),
    wireguardPubKey: readString(object, 'WireguardPubKey'),
    bootId: readString(object, 'BootID'),
  };
}

function checkOwner(object: JsonObject, context: RecordContext): void {
  if (readRequired(object, 'Cluster') !== context.cluster) reject('foreign-cluster');
  if (readRequired(object, 'Name') !== context.name) reject('key-mismatch');
  if (readUint(object, 'ClusterID', 0xffffffff) !== context.clusterId) reject('foreign-cluster-id');
}

/** Addresses of type `Hostname` carry a name where the others carry an address; they are left out, for nothing routes by them. */
function readAddresses(object: JsonObject): readonly NodeAddress[] | null {
  const elements = readArray(object, 'IPAddresses', asObject);
  return elements?.filter((element) => field(element, 'Type') !== 'Hostname').map(readAddress) ?? null;
}

function readAddress(object: JsonObject): NodeAddress {
  return { type: readShared(object, 'Type'), ip: readIp(readString(object, 'IP')) };
}

/** The node as Cilium writes it. */
export function encodeNode(node: NodeRecord): string {
  return goJson({
    Name: node.name,
    Cluster: node.cluster,
    IPAddresses: node.addresses?.map(({ type, ip }) => ({ Type: type, IP: ip })) ?? null,
    IPv4AllocCIDR: cidrObject(node.ipv4Cidr),
    IPv4SecondaryAllocCIDRs: node.ipv4SecondaryCidrs?.map(cidrObject) ?? null,
    IPv6AllocCIDR: cidrObject(node.ipv6Cidr),
    IPv6SecondaryAllocCIDRs: node.ipv6SecondaryCidrs?.map(cidrObject) ?? null,
    IPv4HealthIP: node.ipv4HealthIp,
    IPv6HealthIP: node.ipv6HealthIp,
    IPv4IngressIP: node.ipv4IngressIp,
    IPv6IngressIP: node.ipv6IngressIp,
    ClusterID: node.clusterId,
    Source: node.source,
    EncryptionKey: node.encryptionKey,
    Labels: node.labels,
    Annotations: node.annotations,
    WireguardPubKey: node.wireguardPubKey,
    BootID: node.bootId,
  });
}
