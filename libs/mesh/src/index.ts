export { type ClusterConfig, decodeClusterConfig, encodeClusterConfig } from './cluster-config.codec.ts';
export { ClusterIds } from './cluster-ids.ts';
export {
  checkClusterId,
  checkClusterName,
  checkMeshSize,
  MAX_CLUSTER_NAME,
  MESH_CLUSTER_ID_INVALID,
  MESH_CLUSTER_NAME_INVALID,
  MESH_SIZE_INVALID,
} from './cluster-name.ts';
export { type AddressRules, ClusterNetworks } from './cluster-networks.ts';
export { type ConfiguredCluster, decodeConfiguredCluster, encodeConfiguredCluster } from './configured-cluster.codec.ts';
export { type Decoded, DROP_REASONS, type Dropped, type DropReason, type RecordContext } from './decode-result.ts';
export { type DropCount, DropCounters } from './drop-counters.ts';
export { GLOBAL_NAMESPACE_ANNOTATION, isGlobalNamespace } from './global-namespace.ts';
export { compareBytes, type GoStruct, type GoValue, goJson } from './go-json.ts';
export {
  decodeIdentity,
  encodeIdentity,
  encodeLabels,
  type IdentityRecord,
  LABEL_CLUSTER,
  LABEL_SOURCE_K8S,
  type LabelParts,
  splitLabel,
} from './identity.codec.ts';
export { decodeIp, encodeIp, type IpRecord, type NamedPort } from './ip.codec.ts';
export type { StringMap } from './json-reader.ts';
export * from './keys.ts';
export { canaryKeyOf, publishesKind } from './kind-gate.ts';
export { HEARTBEAT_TIMEOUT_MS } from './liveness.ts';
export { type MeshKey, parseMeshKey } from './mesh-key.ts';
export {
  decodeNode,
  encodeNode,
  type NodeAddress,
  type NodeRecord,
  WIREGUARD_ENCRYPTION_KEY,
  WIREGUARD_EPOCHS_ANNOTATION,
} from './node.codec.ts';
export * from './numeric-identity.ts';
export { decodeRecord, encodeRecord, type RecordRows } from './record.codec.ts';
export { RECORD_KINDS, type RecordKind } from './record-kind.ts';
export { REMOTE_CLUSTER_MACHINE, REMOTE_OUTER_EVENTS, type RemoteEvent, type RemoteState } from './remote-cluster.machine.ts';
export { RemoteCluster } from './remote-cluster.ts';
export { RECORD_BYTES, RECORD_LIMITS, type RemoteClusterOptions } from './remote-cluster-options.ts';
export { type ConfigVerdict, checkRemoteConfig, type OwnCluster } from './remote-config-check.ts';
export * from './remote-errors.ts';
export type { RecordChange, RemoteSink, ValuesByKind } from './remote-sink.ts';
export type { KindStatus, RemoteStatus } from './remote-status.ts';
export type {
  RemoteChange,
  RemoteEntry,
  RemoteMirror,
  RemoteMirrorHandlers,
  RemoteOrigin,
  RemoteStore,
  RemoteStoreStatus,
} from './remote-store.ts';
export { decodedRows, type RawValues, rawValues, type ValueMode } from './remote-values.ts';
export { type AddressPorts, type BackendZone, decodeService, encodeService, type PortRow, type ServiceRecord } from './service.codec.ts';
export { decodeServiceExport, type ExportedPort, encodeServiceExport, type ServiceExportRecord } from './service-export.codec.ts';
export { canonicalTime, encodeTimestamp } from './timestamp.codec.ts';
export { usableWireGuardRows } from './usable-wireguard-rows.ts';
export { decodeWireGuard, encodeWireGuard } from './wireguard.codec.ts';
export { decodeWireGuardTarget, encodeWireGuardTarget } from './wireguard-target.codec.ts';
export { KvWireGuardTargets, TARGET_HISTORY_KEY, type TargetKv } from './wireguard-targets/kv-wireguard-targets.ts';
export type { TargetChange } from './wireguard-targets/target-history.ts';
export { WIREGUARD_TARGET } from './wireguard-targets/wireguard-targets.errors.ts';
export type { NodeKeys, WireGuardTargets } from './wireguard-targets/wireguard-targets.ts';
