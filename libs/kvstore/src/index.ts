export type { EtcdConnectionEvent, EtcdOptions } from './adapters/etcd/etcd-options.ts';
export { readEtcdConfig } from './adapters/etcd-config-file.ts';
export { EtcdKvStore } from './adapters/etcd-kvstore.ts';
export { MemoryKvServer, type MemorySnapshot } from './adapters/memory/memory-server.ts';
export { MemoryKvStore } from './adapters/memory-kvstore.ts';
export { type EtcdConfig, type EtcdHostAlias, looksLikeEtcdConfig, parseEtcdConfig } from './etcd-config.ts';
export { holdSweeps, type SweptHandlers } from './held-sweep.ts';
export { prefixRange } from './key-range.ts';
export type { KvAccess, KvAuth, KvPermission } from './kv-auth.ts';
export * from './kv-errors.ts';
export { type FollowHandlers, type FollowOptions, KvFollower, type KvFollowerOptions } from './kv-follower.ts';
export {
  type KvCallOptions,
  type KvCompare,
  type KvEntry,
  type KvEvent,
  type KvLease,
  type KvMaintenance,
  type KvOp,
  type KvOpResult,
  type KvPage,
  type KvRelation,
  type KvStatus,
  type KvStore,
  type KvTxn,
  type KvTxnResult,
  type KvValue,
  type KvWatchOptions,
  type KvWatchResponse,
  type KvWitness,
  MAX_TXN_OPS,
} from './kvstore.ts';
export { type MirrorChange, type MirrorOptions, type MirrorOrigin, mirrorPrefix, type RelistReason } from './mirror.ts';
export { KvResources, type KvResourcesOptions } from './resources/kv-resources.ts';
