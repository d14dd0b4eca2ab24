export {
  BPF_ATTACH,
  BPF_LOAD,
  BPF_MAP,
  BPF_MAP_FULL,
  BPF_MAP_LAYOUT,
  BPF_OBJECT,
  BPF_RING,
  BPF_XDP_TAKEN,
  errnoOf,
  LIBBPF_MISSING,
  SystemCallError,
} from './bpf-error.ts';
export {
  attachCgroup,
  attachSocketHooks,
  type CgroupAttachment,
  detachSocketHooks,
  SOCKET_HOOKS,
  type SocketHook,
} from './cgroup-link.ts';
export { attachEgress, attachIngress, type DeviceAttachment, type DeviceAttachResult, detachEgress, detachIngress } from './device-link.ts';
export { removeLink as removePin } from './link.ts';
export { BATCH_ROWS, BpfMap, type MapEntry } from './map.ts';
export type { MapInfo } from './map-info.ts';
export type { MigratedMap } from './map-migration.ts';
export { BpfObject, type BpfObjectOptions } from './object.ts';
export { kernelHasTcx, requireLibbpf } from './probe.ts';
export { type RecordErrorHandler, type RecordHandler, RingBuffer } from './ring-buffer.ts';
export { type TestContext, type TestResult, testRun, testRunXdp } from './test-run.ts';
export { attachXdp, detachXdp, type XdpAttachment, type XdpMode } from './xdp-link.ts';
