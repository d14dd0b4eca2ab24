import { encodeService, encodeServiceExport } from '@isthmus/mesh';
import type { EndpointSlice, Service, ServiceExport } from '@isthmus/model';
import { clusterServiceRecord, serviceExportRecord } from '@isthmus/service';
import type { OwnClusterFacts } from './own-cluster.ts';

/** The value of a service's key; undefined when it is not shared with the mesh. */
export function exportedService(
  own: OwnClusterFacts,
  service: Service,
  slices: readonly EndpointSlice[],
  namespaceGlobal: boolean,
): string | undefined {
  const { cluster, clusterId } = own;
  const record = clusterServiceRecord({ cluster, clusterId, service, slices, namespaceGlobal });
  return record && encodeService(record);
}

/** The value of a service export's key; undefined when there is nothing to export. */
export function exportedServiceExport(
  own: OwnClusterFacts,
  service: Service,
  serviceExport: ServiceExport,
  namespaceGlobal: boolean,
): string | undefined {
  const record = serviceExportRecord({ cluster: own.cluster, service, serviceExport, namespaceGlobal });
  return record && encodeServiceExport(record);
}
