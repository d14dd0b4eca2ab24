export { type MeshAnnotations, readMeshAnnotations, SERVICE_ANNOTATION_INVALID } from './annotations.ts';
export type { ServiceInputs } from './frontends.ts';
export { type ExportedServicePort, type ServiceExportInput, type ServiceExportRecord, serviceExportRecord } from './mcs-export.ts';
export { existing, type RemovedBackend, removedBackends } from './removed-backends.ts';
export type { AdoptedBackendsRow, BackendAddressRow, FrontendRow, RevnatRow } from './rows.ts';
export {
  type ClusterServiceRecord,
  clusterServiceRecord,
  type RecordAddress,
  type RecordZone,
  type ServiceRecordInput,
} from './service-export.ts';
export { isHeadless, serviceRow, serviceWarnings } from './service-row.ts';
export { declareServiceTables, type ServiceTables } from './service-tables.ts';
export { type OwnCluster, SERVICE_NAME_LABEL, sliceBackends, sliceServiceName } from './slice-backends.ts';
export {
  frontendSlots,
  MAX_SLOTS,
  removalOperations,
  SERVICE_TOO_MANY_BACKENDS,
  type SlotIds,
  type SlotOperation,
  type SlotRow,
  slotOperations,
} from './slots.ts';
