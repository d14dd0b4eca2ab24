import type { Pod } from '@isthmus/model';
import { canonicalIp } from '@isthmus/net';

/** A named port of a pod's containers. */
export interface PodPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

/** What the operator keeps of a pod: one that has addresses and has not ended. */
export interface PodRow {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly nodeName: string;
  /** Canonical text. */
  readonly ips: readonly string[];
  readonly ports: readonly PodPort[];
  readonly hostname: string;
  readonly subdomain: string;
  /** Says of itself that it can serve. */
  readonly ready: boolean;
  readonly terminating: boolean;
}

const ENDED = new Set(['Succeeded', 'Failed']);

/** The row of a pod, undefined while it has no address and when it has ended. */
export function podRow(pod: Pod): PodRow | undefined {
  const ips = (pod.status?.podIPs ?? []).flatMap(({ ip }) => canonicalIp(ip) ?? []);
  if (ips.length === 0 || ENDED.has(pod.status?.phase ?? '')) return undefined;
  const { namespace = 'default', name, uid = '', labels = {}, deletionTimestamp } = pod.metadata;
  return {
    namespace,
    name,
    uid,
    labels,
    nodeName: pod.spec?.nodeName ?? '',
    ips,
    ports: namedPorts(pod),
    hostname: textField(pod.spec, 'hostname'),
    subdomain: textField(pod.spec, 'subdomain'),
    ready: isReady(pod),
    terminating: deletionTimestamp !== undefined,
  };
}

/** Nobody probes pods where there is no kubelet: a pod that says nothing of its readiness is ready once it has an address. */
function isReady(pod: Pod): boolean {
  const condition = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  return condition === undefined || condition.status === 'True';
}

function namedPorts(pod: Pod): PodPort[] {
  const ports: PodPort[] = [];
  for (const container of pod.spec?.containers ?? [])
    for (const { name, containerPort, protocol } of container.ports ?? [])
      if (name !== undefined) ports.push({ name, protocol: protocol ?? 'TCP', port: containerPort });
  return ports;
}

function textField(object: Record<string, unknown> | undefined, field: string): string {
  const value = object?.[field];
  return typeof value === 'string' ? value : '';
}
