import { type Family, parseIp } from '@isthmus/net';
import type { PodRow } from './pod-row.ts';
import type { OperatorServiceRow, ServicePort } from './service-row.ts';

/** One address behind a service. */
export interface SliceEndpoint {
  readonly ip: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly nodeName: string;
  readonly pod: string;
  readonly podUid: string;
  readonly hostname: string;
}

/** A port as the pods have it. */
export interface SlicePort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

/** An EndpointSlice as it should be. Key: `<namespace>/<name>`. */
export interface SliceRow {
  readonly namespace: string;
  readonly name: string;
  readonly service: string;
  readonly serviceUid: string;
  readonly serviceLabels: Readonly<Record<string, string>>;
  readonly headless: boolean;
  readonly family: Family;
  readonly ports: readonly SlicePort[];
  /** By pod name. */
  readonly endpoints: readonly SliceEndpoint[];
}

/**
 * The slices of a service: `<service>-v4` and `<service>-v6`. Pods that give a named port different numbers cannot share a slice: the further
 * ones are `<service>-v4-2` and so on, in order of their numbers.
 */
export function slicesOf(service: OperatorServiceRow, pods: readonly PodRow[], defaults: readonly Family[]): SliceRow[] {
  const families = service.families.length > 0 ? service.families : defaults;
  const ordered = [...pods].sort((a, b) => (a.name < b.name ? -1 : 1));
  return families.flatMap((family) => slicesOfFamily(service, ordered, family));
}

function slicesOfFamily(service: OperatorServiceRow, pods: readonly PodRow[], family: Family): SliceRow[] {
  const groups = new Map<string, { ports: SlicePort[]; endpoints: SliceEndpoint[] }>();
  for (const pod of pods) {
    const ip = pod.ips.find((each) => parseIp(each)?.family === family);
    const ports = portsOn(service.ports, pod);
    if (ip === undefined || (ports.length === 0 && service.ports.length > 0)) continue;
    const signature = ports.map(({ name, port }) => `${name}=${String(port).padStart(5, '0')}`).join();
    const group = groups.get(signature) ?? { ports, endpoints: [] };
    groups.set(signature, group);
    group.endpoints.push(endpoint(service, pod, ip));
  }
  // A service without endpoints has a slice that says so.
  if (groups.size === 0) groups.set('', { ports: numericPorts(service.ports), endpoints: [] });
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group], index) => ({ ...frame(service, family, index), ...group }));
}

function frame(service: OperatorServiceRow, family: Family, index: number): Omit<SliceRow, 'ports' | 'endpoints'> {
  return {
    namespace: service.namespace,
    name: `${service.name}-v${family}${index === 0 ? '' : `-${index + 1}`}`,
    service: service.name,
    serviceUid: service.uid,
    serviceLabels: service.labels,
    headless: service.headless,
    family,
  };
}

function endpoint(service: OperatorServiceRow, pod: PodRow, ip: string): SliceEndpoint {
  return {
    ip,
    ready: service.publishNotReady || (pod.ready && !pod.terminating),
    serving: pod.ready,
    terminating: pod.terminating,
    nodeName: pod.nodeName,
    pod: pod.name,
    podUid: pod.uid,
    hostname: pod.subdomain === service.name ? pod.hostname : '',
  };
}

/** The service's ports with the pod's numbers; a name that the pod does not have is left out. */
function portsOn(ports: readonly ServicePort[], pod: PodRow): SlicePort[] {
  return ports.flatMap(({ name, protocol, targetPort }) => {
    if (typeof targetPort === 'number') return [{ name, protocol, port: targetPort }];
    const found = pod.ports.find((each) => each.name === targetPort && each.protocol === protocol);
    return found ? [{ name, protocol, port: found.port }] : [];
  });
}

function numericPorts(ports: readonly ServicePort[]): SlicePort[] {
  return ports.flatMap(({ name, protocol, targetPort }) => (typeof targetPort === 'number' ? [{ name, protocol, port: targetPort }] : []));
}
