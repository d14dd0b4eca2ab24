import { RESERVED_IDENTITY } from '@isthmus/model';
import { maskLength, parseCidr, parseIp } from '@isthmus/net';
import { readIp, readOptionalIp } from './address-text.ts';
import { maskText, readMask } from './cidr.codec.ts';
import { type Decoded, decoding, type RecordContext, reject } from './decode-result.ts';
import { goJson } from './go-json.ts';
import { intern } from './intern.ts';
import { asObject, type JsonObject, readArray, readJsonObject, readRequired, readShared, readString, readUint } from './json-reader.ts';
import { identityRange, inIdentityRange, isReservedIdentity } from './numeric-identity.ts';
import { checkOther, checkPods } from './record-addresses.ts';

/** A named container port. */
export interface NamedPort {
  name: string;
  port: number;
  /** `TCP`, `UDP`, `SCTP`, … */
  protocol: string;
}

/** Which identity an address has: `cilium/state/ip/v1/default/<address>`. There may be a million of these: a row is about 250 bytes. */
export interface IpRecord {
  /** Canonical address, or canonical network (`10.0.0.0/24`) when the record is about one. */
  ip: string;
  /** Address of the node that hosts it, the tunnel endpoint; `''` when unknown. */
  hostIp: string;
  /** Numeric identity. `host` of a remote reads as `remote-node`. */
  identity: number;
  /** As that of its node's record: 0, 255 for WireGuard, an IPsec key index. */
  encryptionKey: number;
  namespace: string;
  podName: string;
  podUid: string;
  serviceAccount: string;
  namedPorts: readonly NamedPort[];
}

const MAX_BYTES = 64 * 1024;
const NO_PORTS: readonly NamedPort[] = Object.freeze([]);

/** Reads an ip record; its identity must be the cluster's own or reserved, its address that of the key. */
export function decodeIp(bytes: Uint8Array, context: RecordContext): Decoded<IpRecord> {
  return decoding(bytes, context, MAX_BYTES, () => readIpRecord(readJsonObject(bytes), context));
}

function readIpRecord(object: JsonObject, context: RecordContext): IpRecord {
  const ip = context.name; // not the equal text of the value: there is one copy of it in the process, not two
  if (readAddress(object) !== ip) reject('key-mismatch');
  const identity = readIdentity(object, context);
  // A host is where it is; everything else is a pod, or a network of pods.
  if (identity === RESERVED_IDENTITY.remoteNode && !ip.includes('/')) checkOther(ip, context);
  else checkPods(ip, context);
  return {
    ip,
    hostIp: intern(readOptionalIp(readString(object, 'HostIP'))),
    identity,
    encryptionKey: readUint(object, 'Key', 255),
    namespace: readShared(object, 'K8sNamespace'),
    podName: readString(object, 'K8sPodName'),
    podUid: readString(object, 'K8sPodUID'),
    serviceAccount: readShared(object, 'K8sServiceAccount'),
    namedPorts: readArray(object, 'NamedPorts', readNamedPort) ?? NO_PORTS,
  };
}

function readAddress(object: JsonObject): string {
  const ip = readIp(readRequired(object, 'IP'));
  const mask = readString(object, 'Mask');
  if (mask === '') return ip;
  const bytes = readMask(mask);
  const length = maskLength(bytes) ?? reject('bad-cidr');
  const bits = parseIp(ip)!.bytes.length * 8;
  const own = length - (bytes.length * 8 - bits);
  return own >= 0 && own <= bits ? parseCidr(`${ip}/${own}`)!.toString() : reject('bad-cidr');
}

function readIdentity(object: JsonObject, context: RecordContext): number {
  const id = readUint(object, 'ID', 0xffffffff);
  if (id === RESERVED_IDENTITY.host) return RESERVED_IDENTITY.remoteNode;
  if (isReservedIdentity(id)) return id;
  return inIdentityRange(id, identityRange(context.clusterId, context.maxConnectedClusters)) ? id : reject('foreign-identity');
}

function readNamedPort(element: unknown): NamedPort {
  const object = asObject(element);
  return { name: readShared(object, 'Name'), port: readUint(object, 'Port', 0xffff), protocol: readShared(object, 'Protocol') };
}

/** The record as Cilium writes it: empty Kubernetes names and ports are left out, `Mask` unless it is about a network. */
export function encodeIp(record: IpRecord): string {
  const cidr = parseCidr(record.ip);
  return goJson({
    IP: cidr?.address.toString() ?? record.ip,
    Mask: cidr && maskText(cidr.family, cidr.length),
    HostIP: record.hostIp,
    ID: record.identity,
    Key: record.encryptionKey,
    Metadata: '',
    K8sNamespace: record.namespace || undefined,
    K8sPodName: record.podName || undefined,
    K8sPodUID: record.podUid || undefined,
    K8sServiceAccount: record.serviceAccount || undefined,
    NamedPorts: record.namedPorts.length === 0 ? undefined : record.namedPorts.map(namedPort),
  });
}

function namedPort({ name, port, protocol }: NamedPort): { Name: string; Port: number; Protocol: string } {
  return { Name: name, Port: port, Protocol: protocol };
}
