/** One key as it stood at some revision. `value` is a view into the message it came in: copy it before keeping it. */
export interface KvEntry {
  /** The whole key, decoded as UTF-8. */
  key: string;
  /** The value's bytes; empty in the entry of a deletion. */
  value: Uint8Array;
  /** Revision at which the key came into being; 0 in the entry of a deletion. */
  createRevision: number;
  /** Revision of the last change; in the entry of a deletion, the revision of that deletion. */
  modRevision: number;
  /** Number of changes since creation, from 1; 0 in the entry of a deletion. */
  version: number;
  /** Decimal id of the lease that holds the key, `'0'` when none does. A string: ids exceed 2^53. */
  lease: string;
}

/** What may be written: bytes, or text that is stored as UTF-8. */
export type KvValue = Uint8Array | string;

/** Options of every call. */
export interface KvCallOptions {
  /** Gives the call up; it then rejects with the signal's reason. A write that was already sent may still happen. */
  signal?: AbortSignal;
  /** How long the call may take in milliseconds, waiting for a connection included. The store has a default. */
  timeoutMs?: number;
}

/** One page of a listing. */
export interface KvPage {
  /** Entries in key order, at most one page. */
  entries: readonly KvEntry[];
  /** The revision that all pages of this listing show. */
  revision: number;
  /** Decimal id of the cluster that answered. */
  clusterId: string;
}

/** How {@link KvCompare} relates the key's property (left) to the given one (right). */
export type KvRelation = '=' | '!=' | '<' | '>';

/** One condition of a transaction. An absent key has revisions, version and lease 0 and fails every comparison of its value. */
export type KvCompare = { key: string; op?: KvRelation } & (
  | { modRevision: number }
  | { createRevision: number }
  | { version: number }
  | { value: KvValue }
  | { lease: string }
);

/** One operation of a transaction. A key may be written at most once per transaction. */
export type KvOp =
  | { type: 'put'; key: string; value: KvValue; lease?: string }
  | { type: 'delete'; key: string }
  | { type: 'deletePrefix'; prefix: string }
  | { type: 'get'; key: string; revision?: number };

/** What a {@link KvOp} did, in the same order. */
export type KvOpResult =
  | { type: 'put' }
  | { type: 'delete' | 'deletePrefix'; deleted: number }
  | { type: 'get'; entry: KvEntry | undefined };

/** An atomic step: when all conditions hold the `success` operations run, otherwise the `failure` ones. */
export interface KvTxn {
  compare?: readonly KvCompare[];
  success: readonly KvOp[];
  failure?: readonly KvOp[];
}

/** Outcome of a {@link KvTxn}. */
export interface KvTxnResult {
  /** True when every condition held. */
  succeeded: boolean;
  revision: number;
  results: readonly KvOpResult[];
}

/** Operations that one transaction may hold: etcd's default `--max-txn-ops`. */
export const MAX_TXN_OPS = 128;

/** One change of one key. */
export interface KvEvent {
  type: 'put' | 'delete';
  entry: KvEntry;
  /** The key before the change, when `prevKv` was asked for and the revision before is not compacted. */
  prev?: KvEntry;
}

/**
 * One message of a watch. The first is always `created`, at once; `progress` comes from time to time while nothing changes.
 * A revision is never split over two responses.
 */
export interface KvWatchResponse {
  kind: 'created' | 'events' | 'progress';
  /** Everything up to this revision has been delivered: a later watch resumes at `revision + 1`. */
  revision: number;
  /** The store's revision when it sent this. Lower than one seen before: the store was wiped or restored. */
  storeRevision: number;
  /** Decimal id of the cluster that answered. */
  clusterId: string;
  /** In revision order; empty unless `kind` is `events`. */
  events: readonly KvEvent[];
}

/** Where a watch starts and what it carries. */
export interface KvWatchOptions {
  /** First revision to deliver; without it, the one after the store's present revision. */
  fromRevision?: number;
  signal?: AbortSignal;
  /** Puts the entry before each change into {@link KvEvent.prev}. */
  prevKv?: boolean;
}

/** A lease that the store keeps alive by itself until it is revoked or lost. */
export interface KvLease {
  /** Decimal id, for `put({lease})`. */
  readonly id: string;
  /** Time to live in seconds that the server granted. */
  readonly ttlSeconds: number;
  /** The store's revision when it granted. */
  readonly revision: number;
  /**
   * Aborts with a `KV_LEASE_LOST` as soon as the lease can no longer be counted on: the server forgot it, or no renewal was
   * confirmed within one time to live of monotonic time (counted from the sending of the last confirmed one, so never late).
   */
  readonly lost: AbortSignal;
  /** Ends the lease; its keys go at once. `lost` does not fire. Revoking a lease that is gone is fine. */
  revoke(): Promise<void>;
}

/**
 * A mark that was left in the store, which no other store can have: not a new one at the same address that was filled with the same keys,
 * nor a copy from before. It fades an hour after it was last asked about.
 */
export interface KvWitness {
  /** True when the mark is still there: the store's history contains everything from before the mark was made. */
  stands(options?: KvCallOptions): Promise<boolean>;
}

/** What the store says about itself. */
export interface KvStatus {
  clusterId: string;
  memberId: string;
  revision: number;
  /** Server version, such as `3.4.23`. */
  version: string;
  /** Size of the backend in bytes. */
  dbSize: number;
  /** Standing alarms, such as `NOSPACE`; empty when all is well. */
  errors: readonly string[];
}

/**
 * A revisioned key-value store: etcd v3's semantics without its transport.
 * Every method rejects with a `KV_*` coded error (see `kv-errors.ts`) that names the endpoint and the key.
 */
export interface KvStore {
  /** The key's entry, or undefined when it is absent. `revision` reads the past. */
  get(key: string, options?: KvCallOptions & { revision?: number }): Promise<KvEntry | undefined>;
  /**
   * All keys that start with `prefix`, in key order, a page at a time, all at one revision.
   * There is at least one page, so that the revision is known. May end with `KV_COMPACTED` when the reader takes too long.
   * Without `pageSize` the store chooses pages that leave the event loop its turns, of at most 1,000 entries.
   */
  list(prefix: string, options?: KvCallOptions & { pageSize?: number }): AsyncIterable<KvPage>;
  /** Writes a key. A put without a lease takes the key off the lease it had. */
  put(key: string, value: KvValue, options?: KvCallOptions & { lease?: string }): Promise<{ revision: number }>;
  /** Removes a key; removing an absent one is fine and does not raise the revision. */
  delete(key: string, options?: KvCallOptions): Promise<{ deleted: number; revision: number }>;
  /** Removes all keys that start with `prefix`. The empty prefix means every key. */
  deletePrefix(prefix: string, options?: KvCallOptions): Promise<{ deleted: number; revision: number }>;
  /** Runs a transaction of at most {@link MAX_TXN_OPS} operations per branch. */
  txn(txn: KvTxn, options?: KvCallOptions): Promise<KvTxnResult>;
  /**
   * Changes of keys that start with `prefix`. Ends silently when the signal aborts; otherwise it ends with an error, and the reader
   * resumes from the last `revision + 1` (`KV_UNREACHABLE`, …) or lists again (`KV_COMPACTED`). See `mirrorPrefix`, which does.
   */
  watch(prefix: string, options?: KvWatchOptions): AsyncIterable<KvWatchResponse>;
  /** Grants a lease of at least `ttlSeconds` and keeps it alive. */
  grantLease(ttlSeconds: number, options?: KvCallOptions): Promise<KvLease>;
  /** Leaves a mark by which this store is known again. Needs no permission on keys, and no key is written. */
  witness(options?: KvCallOptions): Promise<KvWitness>;
  /** Asks the server for its state; works without any permission. */
  status(options?: KvCallOptions): Promise<KvStatus>;
  /** Closes the connection; calls under way reject with `KV_CLOSED`. Leases are not revoked: they run out. Idempotent. */
  close(): void;
}

/** What an administrator does to a store now and then. */
export interface KvMaintenance {
  /** Forgets the history before `revision`. Compacting twice is fine. */
  compact(revision: number, options?: KvCallOptions): Promise<void>;
  /** Gives freed space back; the server stands still meanwhile. */
  defragment(options?: KvCallOptions): Promise<void>;
  /** Clears alarms such as `NOSPACE` after space was made. */
  clearAlarms(options?: KvCallOptions): Promise<void>;
}
