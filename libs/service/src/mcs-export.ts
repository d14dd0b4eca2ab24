import type { Service, ServiceExport } from '@isthmus/model';
import { isHeadless } from './service-row.ts';

const FAMILIES = ['IPv4', 'IPv6'] as const;
const TRAFFIC_POLICIES = ['Cluster', 'Local'] as const;
const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode'] as const;

/** A port of an exported service. */
export interface ExportedServicePort {
  readonly name: string;
  readonly protocol: string;
  readonly appProtocol: string | undefined;
  readonly port: number;
}

/** What a cluster publishes of a ServiceExport: the record of `cilium/state/serviceexports/v1` (docs/wire.md). */
export interface ServiceExportRecord {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  readonly annotations: ReadonlyMap<string, string> | null;
  readonly labels: ReadonlyMap<string, string> | null;
  /** RFC 3339 in UTC with whole seconds. */
  readonly exportCreationTimestamp: string;
  readonly ports: readonly ExportedServicePort[];
  readonly type: 'ClusterSetIP' | 'Headless';
  readonly sessionAffinity: 'None' | 'ClientIP';
  /** Seconds. */
  readonly sessionAffinityTimeout: number | undefined;
  readonly ipFamilies: readonly (typeof FAMILIES)[number][];
  readonly internalTrafficPolicy: (typeof TRAFFIC_POLICIES)[number] | undefined;
  readonly trafficDistribution: (typeof DISTRIBUTIONS)[number] | undefined;
}

/** What an export's record is made of. */
export interface ServiceExportInput {
  readonly cluster: string;
  readonly service: Service;
  readonly serviceExport: ServiceExport;
  /** Whether the namespace publishes anything (annotation `clustermesh.cilium.io/global`, or the cluster's default). */
  readonly namespaceGlobal: boolean;
}

/**
 * The record of a service and its export of the same name; undefined when the service is an ExternalName, its namespace is not global, or
 * the export says no time of creation (readers refuse such a record).
 */
export function serviceExportRecord({
  cluster,
  service,
  serviceExport,
  namespaceGlobal,
}: ServiceExportInput): ServiceExportRecord | undefined {
  const { spec } = service;
  const exportCreationTimestamp = wholeSeconds(serviceExport.metadata.creationTimestamp);
  if (spec.type === 'ExternalName' || !namespaceGlobal || exportCreationTimestamp === undefined) return undefined;
  return {
    cluster,
    namespace: service.metadata.namespace ?? '',
    name: service.metadata.name,
    annotations: mapOf(serviceExport.spec?.exportedAnnotations),
    labels: mapOf(serviceExport.spec?.exportedLabels),
    exportCreationTimestamp,
    ports: exportedPorts(service),
    type: isHeadless(service) ? 'Headless' : 'ClusterSetIP',
    // Readers refuse an empty one.
    sessionAffinity: spec.sessionAffinity ?? 'None',
    sessionAffinityTimeout: affinityTimeout(spec['sessionAffinityConfig']),
    ipFamilies: (spec.ipFamilies ?? []).filter((family) => FAMILIES.includes(family)),
    internalTrafficPolicy: TRAFFIC_POLICIES.find((each) => each === spec['internalTrafficPolicy']),
    trafficDistribution: DISTRIBUTIONS.find((each) => each === spec['trafficDistribution']),
  };
}

function exportedPorts(service: Service): ExportedServicePort[] {
  return (service.spec.ports ?? []).map((port) => {
    const appProtocol = port['appProtocol'];
    return {
      name: port.name ?? '',
      protocol: port.protocol ?? 'TCP',
      appProtocol: typeof appProtocol === 'string' ? appProtocol : undefined,
      port: port.port,
    };
  });
}

function affinityTimeout(config: unknown): number | undefined {
  const timeout = (config as { clientIP?: { timeoutSeconds?: unknown } } | null | undefined)?.clientIP?.timeoutSeconds;
  return typeof timeout === 'number' ? timeout : undefined;
}

function mapOf(object: Readonly<Record<string, string>> | undefined): ReadonlyMap<string, string> | null {
  const entries = Object.entries(object ?? {});
  return entries.length === 0 ? null : new Map(entries);
}

function wholeSeconds(text: string | undefined): string | undefined {
  const instant = new Date(text ?? '');
  return Number.isNaN(instant.getTime()) ? undefined : `${instant.toISOString().slice(0, 19)}Z`;
}
