import type { Service } from '@isthmus/model';
import { canonicalIp, type Family, parseIp } from '@isthmus/net';
import { type LoadBalancerWish, loadBalancerWish } from '../load-balancer/load-balancer-wish.ts';

/** A port that a service's clients use. */
export interface ServicePort {
  readonly name: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  /** Number, or name of a container's port. */
  readonly targetPort: number | string;
}

/** What the operator keeps of a service. */
export interface OperatorServiceRow {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Label pairs in order; empty: the endpoints are somebody else's to write. */
  readonly selector: readonly (readonly [key: string, value: string])[];
  readonly ports: readonly ServicePort[];
  /** Cluster IPs, canonical text. */
  readonly clusterIps: readonly string[];
  /** No cluster IP is wanted. */
  readonly headless: boolean;
  /** As the object says; empty when it leaves them open. */
  readonly families: readonly Family[];
  readonly singleStack: boolean;
  readonly publishNotReady: boolean;
  /** Undefined when no address of a load balancer is or was wanted. */
  readonly loadBalancer: LoadBalancerWish | undefined;
}

/** The row of a service, undefined for one that is only another name (ExternalName). */
export function serviceRow(service: Service): OperatorServiceRow | undefined {
  const { metadata, spec } = service;
  if (spec.type === 'ExternalName') return undefined;
  const clusterIps = (spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])).flatMap((ip) => canonicalIp(ip) ?? []);
  return {
    namespace: metadata.namespace ?? 'default',
    name: metadata.name,
    uid: metadata.uid ?? '',
    labels: metadata.labels ?? {},
    selector: Object.entries(spec.selector ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
    ports: (spec.ports ?? []).map(({ name = '', protocol = 'TCP', port, targetPort = port }) => ({ name, protocol, targetPort })),
    clusterIps,
    headless: spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None',
    families: families(spec.ipFamilies, clusterIps),
    singleStack: spec.ipFamilyPolicy === 'SingleStack',
    publishNotReady: spec.publishNotReadyAddresses ?? false,
    loadBalancer: loadBalancerWish(service),
  };
}

function families(declared: readonly ('IPv4' | 'IPv6')[] | undefined, clusterIps: readonly string[]): Family[] {
  if (declared && declared.length > 0) return declared.map((name) => (name === 'IPv4' ? 4 : 6));
  return clusterIps.flatMap((ip) => parseIp(ip)?.family ?? []);
}
