import type { ClusterConfig } from './cluster-config.codec.ts';
import type { RecordKind } from './record-kind.ts';

/** One record as it is now. */
export interface RecordChange<T> {
  /** The key without its prefix: node, id, address, or namespace/name. */
  name: string;
  /** undefined: the record is gone. */
  value: T | undefined;
}

/** Value type by kind: rows, or bytes. */
export type ValuesByKind = Record<RecordKind, unknown>;

/** Where the records of one remote cluster go. Deletions arrive only when they can be believed. */
export interface RemoteSink<V extends ValuesByKind> {
  /** Takes changes. Must not throw: what it does with them later is its own affair. */
  apply<K extends RecordKind>(kind: K, changes: readonly RecordChange<V[K]>[]): void;
  /** What was applied is now all there is of this kind. Comes again after each complete listing. */
  synced(kind: RecordKind): void;
  /** The cluster is removed, or has another id now: drop all of it. A rejection is tried again. Dropping what is gone is fine. */
  drained(): void | Promise<void>;
  /** The cluster's configuration is valid and its id reserved. Comes again when it changes. */
  accepted?(config: ClusterConfig): void;
  /** The heartbeat changed. */
  heartbeat?(value: string): void;
}
