import { type EndpointSlice, resourceKey, type Service, type ServicePortRow } from '@isthmus/model';
import { readMeshAnnotations } from './annotations.ts';
import { clusterIps, servicePorts } from './service-row.ts';
import { backendUse, endpointIps, type OwnCluster, slicePorts } from './slice-backends.ts';

/** An address and its ports. */
export interface RecordAddress {
  readonly ip: string;
  readonly ports: readonly ServicePortRow[];
}

/** Where a backend is, and which zones should use it. */
export interface RecordZone {
  readonly zone: string;
  readonly forZones: readonly string[];
}

/** What a cluster publishes of a global service: the record of `cilium/state/services/v1` (reference of the wire: docs/wire.md). */
export interface ClusterServiceRecord extends OwnCluster {
  readonly namespace: string;
  readonly name: string;
  readonly frontends: readonly RecordAddress[];
  readonly backends: readonly RecordAddress[];
  readonly hostnames: ReadonlyMap<string, string>;
  readonly zones: ReadonlyMap<string, RecordZone>;
  readonly labels: ReadonlyMap<string, string>;
  readonly selector: ReadonlyMap<string, string>;
  readonly includeExternal: boolean;
  readonly shared: boolean;
}

/** What a service's record is made of. */
export interface ServiceRecordInput extends OwnCluster {
  readonly service: Service;
  /** All slices of the service. */
  readonly slices: readonly EndpointSlice[];
  /** Whether the namespace publishes anything (annotation `clustermesh.cilium.io/global`, or the cluster's default). */
  readonly namespaceGlobal: boolean;
}

/** A backend as slices tell of it. */
interface Backend {
  readonly ports: Map<string, ServicePortRow>;
  hostname: string;
  zone: RecordZone | undefined;
}

type SliceEndpoint = EndpointSlice['endpoints'][number];

/** The record of a service; undefined when it is not global, not shared, an ExternalName, or its namespace is not global. */
export function clusterServiceRecord(source: ServiceRecordInput): ClusterServiceRecord | undefined {
  const { cluster, clusterId, service, slices, namespaceGlobal } = source;
  const { shared } = readMeshAnnotations(resourceKey(service), service.metadata.annotations);
  if (!shared || !namespaceGlobal || service.spec.type === 'ExternalName') return undefined;
  const ports = [...byName(servicePorts(service)).values()];
  const backends = backendsByIp(slices);
  return {
    cluster,
    clusterId,
    namespace: service.metadata.namespace ?? '',
    name: service.metadata.name,
    frontends: clusterIps(service).map((ip) => ({ ip, ports })),
    backends: backends.map(([ip, backend]) => ({ ip, ports: [...backend.ports.values()] })),
    hostnames: new Map(backends.filter(([, { hostname }]) => hostname !== '').map(([ip, { hostname }]) => [ip, hostname])),
    zones: new Map(backends.flatMap(([ip, { zone }]) => (zone ? [[ip, zone]] : []))),
    labels: new Map(Object.entries(service.metadata.labels ?? {})),
    selector: new Map(Object.entries(service.spec.selector ?? {})),
    includeExternal: true,
    shared: true,
  };
}

/** Ready backends and those that serve while they terminate, by address in order of their text; ports of all slices together. */
function backendsByIp(slices: readonly EndpointSlice[]): [ip: string, backend: Backend][] {
  const found = new Map<string, Backend>();
  // By name, so that slices that contradict each other give one answer.
  const ordered = slices.filter((slice) => slice.addressType !== 'FQDN').sort((a, b) => order(a.metadata.name, b.metadata.name));
  for (const slice of ordered)
    for (const endpoint of slice.endpoints)
      if (isPublished(endpoint)) for (const ip of endpointIps(slice, endpoint)) addEndpoint(found, ip, slice, endpoint);
  return [...found].sort(([a], [b]) => order(a, b));
}

function isPublished(endpoint: SliceEndpoint): boolean {
  return backendUse(endpoint) === 'ready' || endpoint.conditions?.serving === true;
}

function addEndpoint(found: Map<string, Backend>, ip: string, slice: EndpointSlice, endpoint: SliceEndpoint): void {
  const backend = found.get(ip) ?? { ports: new Map(), hostname: '', zone: undefined };
  found.set(ip, backend);
  for (const [name, port] of byName(slicePorts(slice))) if (!backend.ports.has(name)) backend.ports.set(name, port);
  backend.hostname ||= endpoint.hostname ?? '';
  backend.zone ??= endpoint.zone ? { zone: endpoint.zone, forZones: [] } : undefined;
}

/** The record holds ports by name alone: of two with one name the first is published. */
function byName(ports: readonly ServicePortRow[]): Map<string, ServicePortRow> {
  const named = new Map<string, ServicePortRow>();
  for (const port of ports) if (!named.has(port.name)) named.set(port.name, port);
  return named;
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
