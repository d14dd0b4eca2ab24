import type { CodedError } from '@isthmus/core';
import {
  BGP_LOAD_BALANCER_CLASS,
  resourceKey,
  type Service,
  type ServiceExposure,
  type ServicePortRow,
  type ServiceRow,
} from '@isthmus/model';
import { canonicalIp } from '@isthmus/net';
import { readMeshAnnotations } from './annotations.ts';

/** Label with which controllers mark services that have no address of their own although they carry one. */
const HEADLESS_LABEL = 'service.kubernetes.io/headless';

/** A service as this cluster's nodes see it; undefined for an ExternalName, which is DNS alone. A headless one has no cluster IPs. */
export function serviceRow(service: Service): ServiceRow | undefined {
  if (service.spec.type === 'ExternalName') return undefined;
  const { global, shared, affinity } = readMeshAnnotations(resourceKey(service), service.metadata.annotations);
  return {
    namespace: service.metadata.namespace ?? '',
    name: service.metadata.name,
    clusterIps: clusterIps(service),
    exposure: exposure(service),
    ports: servicePorts(service),
    global,
    shared,
    affinity,
  };
}

/** What of a service was not understood and taken as its default. */
export function serviceWarnings(service: Service): readonly CodedError[] {
  return readMeshAnnotations(resourceKey(service), service.metadata.annotations).warnings;
}

/** True for a service without an address of its own. */
export function isHeadless(service: Service): boolean {
  const labelled = Object.hasOwn(service.metadata.labels ?? {}, HEADLESS_LABEL);
  return labelled || givenIps(service).some((ip) => ip.toLowerCase() === 'none');
}

/** Addresses of a service, canonical, each once; none before they are allocated. */
export function clusterIps(service: Service): string[] {
  if (isHeadless(service)) return [];
  return canonicalIps(givenIps(service));
}

function exposure({ metadata, spec, status }: Service): ServiceExposure {
  const ours = spec.type === 'LoadBalancer' && (spec.loadBalancerClass ?? BGP_LOAD_BALANCER_CLASS) === BGP_LOAD_BALANCER_CLASS;
  const ingress = ours ? (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []) : [];
  return {
    labels: metadata.labels ?? {},
    loadBalancerIps: canonicalIps(ingress),
    externalIps: canonicalIps(spec.externalIPs ?? []),
    externalLocal: spec.externalTrafficPolicy === 'Local',
    internalLocal: spec.internalTrafficPolicy === 'Local',
  };
}

function canonicalIps(texts: readonly string[]): string[] {
  return [...new Set(texts.map((text) => canonicalIp(text)).filter((ip) => ip !== undefined))];
}

function givenIps({ spec }: Service): readonly string[] {
  return spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP ?? ''];
}

/** Ports that clients use, each (protocol, number) once. */
export function servicePorts(service: Service): ServicePortRow[] {
  const ports = new Map<string, ServicePortRow>();
  for (const { name = '', protocol = 'TCP', port } of service.spec.ports ?? []) {
    const key = `${protocol}/${port}`;
    if (!ports.has(key)) ports.set(key, { name, protocol, port });
  }
  return [...ports.values()];
}
