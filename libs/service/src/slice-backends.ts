import type { BackendRow, BackendSetRow, EndpointSlice, ServicePortRow } from '@isthmus/model';
import { parseIp } from '@isthmus/net';

/** Label that names the service of a slice. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** The cluster that rows are made for. */
export interface OwnCluster {
  readonly cluster: string;
  readonly clusterId: number;
}

/** How much a backend may be used. */
export type BackendUse = 'ready' | 'terminating' | 'none';

type SliceEndpoint = EndpointSlice['endpoints'][number];

/**
 * The backends of one slice, the row of `localBackends` under the slice's own key; undefined when the slice belongs to no service or holds
 * host names. Ready backends serve; those that serve while they terminate are kept apart: who may use them is known only across all slices.
 */
export function sliceBackends(slice: EndpointSlice, own: OwnCluster): BackendSetRow | undefined {
  const name = sliceServiceName(slice);
  if (name === undefined || slice.addressType === 'FQDN') return undefined;
  const backends = backendsOf(slice, 'ready');
  const terminating = backendsOf(slice, 'terminating');
  const row = { ...own, namespace: slice.metadata.namespace ?? '', name, backends };
  return terminating.length === 0 ? row : { ...row, terminating };
}

/** Name of the service that a slice belongs to; its namespace is the slice's. */
export function sliceServiceName(slice: EndpointSlice): string | undefined {
  return slice.metadata.labels?.[SERVICE_NAME_LABEL] || undefined;
}

/** What the conditions of an endpoint allow. Unknown means ready, as Kubernetes asks of readers. */
export function backendUse({ conditions = {} }: SliceEndpoint): BackendUse {
  const ready = conditions.ready ?? true;
  if (ready) return 'ready';
  return conditions.serving && conditions.terminating ? 'terminating' : 'none';
}

/** Addresses of an endpoint, canonical; those that are not of the slice's type, and v4-mapped ones, are left out. */
export function endpointIps(slice: EndpointSlice, endpoint: SliceEndpoint): string[] {
  const family = slice.addressType === 'IPv4' ? 4 : 6;
  const parsed = endpoint.addresses.map((address) => parseIp(address));
  return parsed.filter((ip) => ip !== undefined && ip.family === family && !ip.mapped).map(String);
}

/** Ports of all endpoints of a slice; a port without a number stands for all ports and is left out. */
export function slicePorts(slice: EndpointSlice): ServicePortRow[] {
  const numbered = slice.ports.filter((each) => each.port !== undefined);
  return numbered.map(({ name, protocol, port }) => ({ name: name ?? '', protocol: protocol ?? 'TCP', port: port ?? 0 }));
}

function backendsOf(slice: EndpointSlice, use: BackendUse): BackendRow[] {
  const ports = slicePorts(slice);
  if (ports.length === 0) return [];
  const endpoints = slice.endpoints.filter((endpoint) => backendUse(endpoint) === use);
  return endpoints.flatMap((endpoint) => endpointIps(slice, endpoint).map((ip) => ({ ip, ports })));
}
