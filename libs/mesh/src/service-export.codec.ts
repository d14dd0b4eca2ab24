import { type Decoded, decoding, type RecordContext, reject } from './decode-result.ts';
import { type GoStruct, goJson } from './go-json.ts';
import { intern } from './intern.ts';
import {
  asObject,
  field,
  type JsonObject,
  readArray,
  readJsonObject,
  readObject,
  readRequired,
  readShared,
  readString,
  readStringMap,
  readUint,
  type StringMap,
} from './json-reader.ts';
import { canonicalTime } from './timestamp.codec.ts';

/** A port of an exported service (mcs-api ServicePort). */
export interface ExportedPort {
  name: string;
  protocol: string;
  /** undefined when not given. */
  appProtocol: string | undefined;
  port: number;
}

/** An exported service (MCS): `cilium/state/serviceexports/v1/<cluster>/<namespace>/<name>`. */
export interface ServiceExportRecord {
  cluster: string;
  namespace: string;
  name: string;
  annotations: StringMap | null;
  labels: StringMap | null;
  /** RFC 3339 in UTC with whole seconds; the oldest export wins conflicts. */
  exportCreationTimestamp: string;
  ports: readonly ExportedPort[] | null;
  type: 'ClusterSetIP' | 'Headless';
  sessionAffinity: 'None' | 'ClientIP';
  /** Seconds; undefined when not given. */
  sessionAffinityTimeout: number | undefined;
  ipFamilies: readonly ('IPv4' | 'IPv6')[];
  internalTrafficPolicy: 'Cluster' | 'Local' | undefined;
  trafficDistribution: 'PreferClose' | 'PreferSameZone' | 'PreferSameNode' | undefined;
}

const MAX_BYTES = 512 * 1024;
const MAX_INT32 = 0x7fffffff;

/** Reads an export; it must be of the context's cluster and be `<namespace>/<name>` of its key. */
export function decodeServiceExport(bytes: Uint8Array, context: RecordContext): Decoded<ServiceExportRecord> {
  return decoding(bytes, context, MAX_BYTES, () => readExport(readJsonObject(bytes), context));
}

function readExport(object: JsonObject, context: RecordContext): ServiceExportRecord {
  if (readRequired(object, 'cluster') !== context.cluster) reject('foreign-cluster');
  const namespace = intern(readRequired(object, 'namespace'));
  const name = readRequired(object, 'name');
  if (`${namespace}/${name}` !== context.name) reject('key-mismatch');
  return {
    cluster: intern(context.cluster),
    namespace,
    name,
    annotations: readExported(object, 'annotations', 'Annotations'),
    labels: readExported(object, 'labels', 'Labels'),
    exportCreationTimestamp: canonicalTime(readString(object, 'exportCreationTimestamp')) ?? reject('bad-time'),
    ports: readArray(object, 'ports', readPort),
    type: oneOf(field(object, 'type'), ['ClusterSetIP', 'Headless']),
    sessionAffinity: oneOf(field(object, 'sessionAffinity'), ['None', 'ClientIP']),
    sessionAffinityTimeout: readTimeout(object),
    ipFamilies: readArray(object, 'ipFamilies', (element) => oneOf(element, ['IPv4', 'IPv6'])) ?? [],
    internalTrafficPolicy: optional(object, 'internalTrafficPolicy', ['Cluster', 'Local']),
    trafficDistribution: optional(object, 'trafficDistribution', ['PreferClose', 'PreferSameZone', 'PreferSameNode']),
  };
}

/**
 * Labels or annotations. Left out when empty, so empty reads as absent. Cilium has two names for them: 1.20 writes both and
 * reads either, what was before it knows the capital one alone.
 */
function readExported(object: JsonObject, name: string, legacy: string): StringMap | null {
  for (const each of [name, legacy]) {
    const map = readStringMap(object, each);
    if (map !== null && map.size > 0) return map;
  }
  return null;
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T {
  return allowed.find((candidate) => candidate === value) ?? reject('unknown-value');
}

function optional<T extends string>(object: JsonObject, name: string, allowed: readonly T[]): T | undefined {
  const value = field(object, name);
  return value === undefined ? undefined : oneOf(value, allowed);
}

function readTimeout(object: JsonObject): number | undefined {
  const clientIp = readObject(readObject(object, 'sessionAffinityConfig') ?? {}, 'clientIP') ?? {};
  return field(clientIp, 'timeoutSeconds') === undefined ? undefined : readUint(clientIp, 'timeoutSeconds', MAX_INT32);
}

function readPort(element: unknown): ExportedPort {
  const object = asObject(element);
  const appProtocol = field(object, 'appProtocol') === undefined ? undefined : readShared(object, 'appProtocol');
  return {
    name: readShared(object, 'name'),
    protocol: readShared(object, 'protocol'),
    appProtocol,
    port: readUint(object, 'port', 0xffff),
  };
}

/** The export as Cilium writes it. */
export function encodeServiceExport(record: ServiceExportRecord): string {
  return goJson({
    cluster: record.cluster,
    name: record.name,
    namespace: record.namespace,
    annotations: record.annotations ?? undefined,
    labels: record.labels ?? undefined,
    exportCreationTimestamp: record.exportCreationTimestamp,
    ports: record.ports?.map(portObject) ?? null,
    type: record.type,
    sessionAffinity: record.sessionAffinity,
    sessionAffinityConfig: affinityConfig(record.sessionAffinityTimeout),
    ipFamilies: record.ipFamilies.length === 0 ? undefined : record.ipFamilies,
    internalTrafficPolicy: record.internalTrafficPolicy,
    trafficDistribution: record.trafficDistribution,
  });
}

function affinityConfig(timeoutSeconds: number | undefined): GoStruct | undefined {
  return timeoutSeconds === undefined ? undefined : { clientIP: { timeoutSeconds } };
}

function portObject({ name, protocol, appProtocol, port }: ExportedPort): GoStruct {
  return { name: name || undefined, protocol: protocol || undefined, appProtocol, port };
}
