import { readIp } from './address-text.ts';
import { type Decoded, decoding, type RecordContext, reject } from './decode-result.ts';
import { compareBytes, type GoValue, goJson } from './go-json.ts';
import { intern } from './intern.ts';
import {
  asObject,
  type JsonObject,
  readArray,
  readBoolean,
  readJsonObject,
  readObject,
  readRequired,
  readShared,
  readStringMap,
  readUint,
  type StringMap,
} from './json-reader.ts';
import { checkOther } from './record-addresses.ts';

/** One named port of an address. */
export interface PortRow {
  /** `''` when the port has no name. */
  name: string;
  /** `TCP`, `UDP` or `SCTP`; ignore others. */
  protocol: string;
  port: number;
}

/** An address and its ports, in the order of the port names' bytes. */
export interface AddressPorts {
  ip: string;
  ports: readonly PortRow[];
}

/** Where a backend is, and which zones should use it. */
export interface BackendZone {
  zone: string;
  forZones: readonly string[] | null;
}

/** A global service as one cluster sees it: `cilium/state/services/v1/<cluster>/<namespace>/<name>`. */
export interface ServiceRecord {
  cluster: string;
  namespace: string;
  name: string;
  clusterId: number;
  /** Cluster IPs; none for a headless service. */
  frontends: readonly AddressPorts[];
  /** Pods. */
  backends: readonly AddressPorts[];
  /** Host name by backend address, of headless services. */
  hostnames: StringMap;
  zones: ReadonlyMap<string, BackendZone>;
  labels: StringMap | null;
  selector: StringMap | null;
  /** The annotation global. */
  includeExternal: boolean;
  /** The annotation shared. */
  shared: boolean;
}

const MAX_BYTES = 1536 * 1024; // etcd's own limit of a request
const PROTOCOL = /^[A-Z0-9]{1,16}$/;
const NO_STRINGS: StringMap = new Map();
const NO_ZONES: ReadonlyMap<string, BackendZone> = new Map();

/** Reads a service; it must be of the context's cluster and cluster id, and be `<namespace>/<name>` of its key. */
export function decodeService(bytes: Uint8Array, context: RecordContext): Decoded<ServiceRecord> {
  return decoding(bytes, context, MAX_BYTES, () => readService(readJsonObject(bytes), context));
}

function readService(object: JsonObject, context: RecordContext): ServiceRecord {
  if (readRequired(object, 'cluster') !== context.cluster) reject('foreign-cluster');
  const namespace = intern(readRequired(object, 'namespace'));
  const name = readRequired(object, 'name');
  if (`${namespace}/${name}` !== context.name) reject('key-mismatch');
  if (readUint(object, 'clusterID', 0xffffffff) !== context.clusterId) reject('foreign-cluster-id');
  const backends = readAddresses(object, 'backends');
  for (const { ip } of backends) checkOther(ip, context);
  return {
    cluster: intern(context.cluster),
    namespace,
    name,
    clusterId: context.clusterId,
    frontends: readAddresses(object, 'frontends'),
    backends,
    hostnames: readByAddress(object, 'hostnames', (value) => (typeof value === 'string' ? value : reject('bad-field'))) ?? NO_STRINGS,
    zones: readByAddress(object, 'zones', readZone) ?? NO_ZONES,
    labels: readStringMap(object, 'labels'),
    selector: readStringMap(object, 'selector'),
    includeExternal: readBoolean(object, 'includeExternal'),
    shared: readBoolean(object, 'shared'),
  };
}

/** An object keyed by addresses, undefined when absent or empty. Of two spellings of one address the last counts. */
function readByAddress<T>(object: JsonObject, name: string, read: (value: unknown) => T): Map<string, T> | undefined {
  const entries = Object.entries(readObject(object, name) ?? {});
  return entries.length === 0 ? undefined : new Map(entries.map(([ip, value]) => [readIp(ip), read(value)]));
}

function readAddresses(object: JsonObject, name: string): readonly AddressPorts[] {
  const byAddress = readByAddress(object, name, readPorts) ?? [];
  return [...byAddress].map(([ip, ports]) => ({ ip, ports })).sort((a, b) => compareBytes(a.ip, b.ip));
}

function readPorts(value: unknown): readonly PortRow[] {
  if (value === null) return [];
  const ports = Object.entries(asObject(value)).map(([name, port]) => readPort(name, asObject(port)));
  return ports.sort((a, b) => compareBytes(a.name, b.name));
}

function readPort(name: string, object: JsonObject): PortRow {
  const protocol = readShared(object, 'Protocol');
  if (!PROTOCOL.test(protocol)) reject('bad-port');
  return { name: intern(name), protocol, port: readUint(object, 'Port', 0xffff) };
}

function readZone(value: unknown): BackendZone {
  const object = asObject(value);
  return { zone: readShared(object, 'zone'), forZones: readArray(object, 'forZones', (element) => readShared(asObject(element), 'name')) };
}

/** The service as Cilium writes it. */
export function encodeService(service: ServiceRecord): string {
  return goJson({
    cluster: service.cluster,
    namespace: service.namespace,
    name: service.name,
    frontends: addressMap(service.frontends),
    backends: addressMap(service.backends),
    hostnames: service.hostnames.size === 0 ? undefined : service.hostnames,
    zones: service.zones.size === 0 ? undefined : new Map([...service.zones].map(([ip, zone]) => [ip, zoneObject(zone)])),
    labels: service.labels,
    selector: service.selector,
    includeExternal: service.includeExternal,
    shared: service.shared,
    clusterID: service.clusterId,
  });
}

function addressMap(addresses: readonly AddressPorts[]): ReadonlyMap<string, GoValue> {
  return new Map(
    addresses.map(({ ip, ports }) => [ip, new Map(ports.map((port) => [port.name, { Protocol: port.protocol, Port: port.port }]))]),
  );
}

function zoneObject({ zone, forZones }: BackendZone): { zone: string; forZones: GoValue } {
  return { zone, forZones: forZones?.map((name) => ({ name })) ?? null };
}
