import type {
  BgpNodePeerStatus,
  CiliumBGPClusterConfig,
  CiliumBGPNodeConfig,
  CiliumLoadBalancerIPPool,
  CiliumNode,
  EndpointSlice,
  Pod,
  Resource,
  ResourceKind,
  Secret,
  Service,
} from '@isthmus/model';
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
    headings: ['TYPE', 'CLUSTER-IPS', 'EXTERNAL-IPS', 'PORTS', 'GLOBAL'],
    cells: ({ spec, metadata, status }: Service) => [
      spec.type ?? 'ClusterIP',
      list(spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP])),
      list([...(status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? ''), ...(spec.externalIPs ?? [])]),
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
  Secret: {
    headings: ['TYPE', 'KEYS'],
    cells: ({ type, data }: Secret) => [type ?? 'Opaque', String(Object.keys(data ?? {}).length)],
  } satisfies KindColumns<Secret>,
  CiliumBGPClusterConfig: {
    headings: ['INSTANCES', 'PEERS', 'PROBLEMS'],
    cells: ({ spec, status }: CiliumBGPClusterConfig) => [
      list(spec.bgpInstances.map(({ name }) => name)),
      String(spec.bgpInstances.reduce((sum, { peers }) => sum + (peers?.length ?? 0), 0)),
      list(status?.conditions?.filter((each) => each.status === 'True').map(({ type }) => type)),
    ],
  } satisfies KindColumns<CiliumBGPClusterConfig>,
  CiliumBGPNodeConfig: {
    headings: ['INSTANCES', 'PEERS', 'ESTABLISHED'],
    cells: ({ spec, status }: CiliumBGPNodeConfig) => [
      list(spec.bgpInstances.map(({ name }) => name)),
      String(spec.bgpInstances.reduce((sum, { peers }) => sum + (peers?.length ?? 0), 0)),
      String((status?.bgpInstances ?? []).flatMap(({ peers = [] }) => peers.filter(isEstablished)).length),
    ],
  } satisfies KindColumns<CiliumBGPNodeConfig>,
  CiliumLoadBalancerIPPool: {
    headings: ['DISABLED', 'CONFLICTING', 'IPS-AVAILABLE'],
    cells: ({ spec, status }: CiliumLoadBalancerIPPool) => [
      spec.disabled ? 'yes' : 'no',
      status?.conditions?.some(({ type, status: is }) => type === 'cilium.io/PoolConflict' && is === 'True') ? 'yes' : 'no',
      status?.conditions?.find(({ type }) => type === 'cilium.io/IPsAvailable')?.message ?? '-',
    ],
  } satisfies KindColumns<CiliumLoadBalancerIPPool>,
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

function isEstablished({ peeringState }: BgpNodePeerStatus): boolean {
  return peeringState === 'established';
}

function list(values: readonly string[] | undefined): string {
  return values === undefined || values.length === 0 ? '-' : values.join(',');
}
