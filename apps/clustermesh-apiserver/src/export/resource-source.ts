import type { Store } from '@isthmus/core';
import { isGlobalNamespace } from '@isthmus/mesh';
import {
  ENDPOINT_SLICE,
  type EndpointSlice,
  followResources,
  NAMESPACE,
  type Resource,
  type ResourceStore,
  SERVICE,
  SERVICE_EXPORT,
  type Service,
  type ServiceExport,
} from '@isthmus/model';
import { SERVICE_NAME_LABEL, sliceServiceName } from '@isthmus/service';
import type { ExportSources } from './export-tables.ts';

/** What the sources read with. */
export interface ResourceSourceOptions {
  readonly resources: ResourceStore;
  readonly store: Store;
  readonly globalByDefault: boolean;
  onInvalid(key: string, error: unknown): void;
}

/** Follows namespaces: whether each publishes. */
export function runNamespaceSource(options: ResourceSourceOptions, sources: ExportSources, signal: AbortSignal): Promise<void> {
  const rowOf = ({ metadata }: Resource): boolean => isGlobalNamespace(metadata.annotations ?? {}, options.globalByDefault);
  return followResources({ ...options, kind: NAMESPACE, writer: sources.namespaces, rowOf, signal });
}

/** Follows services, their endpoint slices, and service exports. */
export async function runServiceSource(options: ResourceSourceOptions, sources: ExportSources, signal: AbortSignal): Promise<void> {
  const { services, slices, serviceExports } = sources;
  await Promise.all([
    followResources<Service, Service>({ ...options, kind: SERVICE, writer: services, rowOf: serviceRow, signal }),
    followResources<EndpointSlice, EndpointSlice>({ ...options, kind: ENDPOINT_SLICE, writer: slices, rowOf: sliceRow, signal }),
    followResources<ServiceExport, ServiceExport>({ ...options, kind: SERVICE_EXPORT, writer: serviceExports, rowOf: exportRow, signal }),
  ]);
}

/** Rows keep only what the records are made of: whatever else changes is no change. */
function serviceRow({ apiVersion, kind, metadata, spec }: Service): Service {
  const { name, namespace, labels, annotations } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace && { namespace }), ...(labels && { labels }), ...(annotations && { annotations }) },
    spec,
  };
}

function sliceRow(slice: EndpointSlice): EndpointSlice | undefined {
  const service = sliceServiceName(slice);
  if (service === undefined) return undefined;
  const { apiVersion, kind, metadata, addressType, ports } = slice;
  const { name, namespace } = metadata;
  const endpoints = slice.endpoints.map(({ addresses, conditions, hostname, zone }) => ({
    addresses,
    ...(conditions && { conditions }),
    ...(hostname && { hostname }),
    ...(zone && { zone }),
  }));
  const labels = { [SERVICE_NAME_LABEL]: service };
  return { apiVersion, kind, metadata: { name, ...(namespace && { namespace }), labels }, addressType, endpoints, ports };
}

function exportRow({ apiVersion, kind, metadata, spec }: ServiceExport): ServiceExport {
  const { name, namespace, creationTimestamp } = metadata;
  const kept = { name, ...(namespace && { namespace }), ...(creationTimestamp && { creationTimestamp }) };
  return { apiVersion, kind, metadata: kept, ...(spec && { spec }) };
}
