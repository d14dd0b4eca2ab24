import type { CiliumNode, EndpointSlice, Pod, Resource, ResourceKind, Service } from '@isthmus/model';
import { ageText } from '../output/ago.ts';

/** How a kind is shown in a table, besides its namespace, name and age. */
interface KindColumns<T> {
  readonly headings: readonly string[];
  cells(object: T): readonly string[];
}

const COLUMNS: Readonly<Record<string, KindColumns<never>>> = {
  Pod: {
    headings: ['NODE', 'PHASE', 'ADDRESSES', 'LABELS'],
    cells: ({ spec, status, metadata }: Pod) => [
      spec?.nodeName ?? '',
      status?.phase ?? '',
      list(status?.podIPs?.map(({ ip }) => ip)),
      list(Object.entries(metadata.labels ?? {}).map(([key, value]) => `${key}=${value}`)),
    ],
  } satisfies KindColumns<Pod>,
  Service: {
    headings: ['TYPE', 'CLUSTER-IPS', 'PORTS', 'GLOBAL'],
    cells: ({ spec, metadata }: Service) => [
      spec.type ?? 'ClusterIP',
      list(spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP])),
      list(spec.ports?.map(({ port, protocol }) => `${port}/${protocol ?? 'TCP'}`)),
      metadata.annotations?.['service.cilium.io/global'] === 'true' ? 'yes' : 'no',
    ],
  } satisfies KindColumns<Service>,
  EndpointSlice: {
    headings: ['SERVICE', 'PORTS', 'READY', 'NOT-READY'],
    cells: ({ metadata, ports, endpoints }: EndpointSlice) => [
      metadata.labels?.['kubernetes.io/service-name'] ?? '',
      list(ports.map(({ port, protocol }) => `${port ?? ''}/${protocol ?? 'TCP'}`)),
      list(endpoints.filter(({ conditions }) => conditions?.ready !== false).flatMap(({ addresses }) => addresses)),
      list(endpoints.filter(({ conditions }) => conditions?.ready === false).flatMap(({ addresses }) => addresses)),
    ],
  } satisfies KindColumns<EndpointSlice>,
  CiliumNode: {
    headings: ['ADDRESSES', 'POD-CIDRS'],
    cells: ({ spec }: CiliumNode) => [list(spec.addresses?.map(({ ip }) => ip)), list(spec.ipam?.podCIDRs)],
  } satisfies KindColumns<CiliumNode>,
} as Readonly<Record<string, KindColumns<never>>>;

/** Headings of a kind's table. */
export function kindHeadings(kind: ResourceKind, withNamespace: boolean): string[] {
  return [...(withNamespace ? ['NAMESPACE'] : []), 'NAME', ...(COLUMNS[kind.kind]?.headings ?? []), 'AGE'];
}

/** An object's row, under {@link kindHeadings}. */
export function kindCells(kind: ResourceKind, object: Resource, withNamespace: boolean, nowMs: number): string[] {
  const { name, namespace, creationTimestamp } = object.metadata;
  const own = (COLUMNS[kind.kind] as KindColumns<Resource> | undefined)?.cells(object) ?? [];
  return [...(withNamespace ? [namespace ?? ''] : []), name, ...own, ageText(creationTimestamp, nowMs)];
}

function list(values: readonly string[] | undefined): string {
  return values === undefined || values.length === 0 ? '-' : values.join(',');
}
