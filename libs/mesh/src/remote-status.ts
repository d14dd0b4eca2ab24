import type { CodedError } from '@isthmus/core';
import type { ClusterConfig } from './cluster-config.codec.ts';
import type { DropCount } from './drop-counters.ts';
import type { KindImporter } from './kind-importer.ts';
import type { RecordKind } from './record-kind.ts';
import type { RemoteState } from './remote-cluster.machine.ts';
import type { RemoteStoreStatus } from './remote-store.ts';

/** One kind of records of a remote cluster. */
export interface KindStatus {
  /** Every record is known and current. */
  synced: boolean;
  /** Records that the sink has. */
  count: number;
  /** Deletions that wait until they can be believed. */
  held: number;
}

/** What is known of the connection to a remote cluster. */
export interface RemoteStatus {
  cluster: string;
  state: RemoteState;
  /** True in state `ready` only. */
  ready: boolean;
  /** What is wrong or waited for: code, text and what to do. */
  problem: CodedError | undefined;
  /** The configuration in use; undefined before the first one was accepted. */
  config: ClusterConfig | undefined;
  /** Milliseconds of monotonic time since the heartbeat last changed. */
  heartbeatAgeMs: number;
  kinds: Record<RecordKind, KindStatus>;
  dropped: readonly DropCount[];
  store: RemoteStoreStatus;
}

/** The state of each kind, by kind. */
export function kindStatuses<T>(kinds: readonly KindImporter<T>[]): Record<RecordKind, KindStatus> {
  const statuses = kinds.map((kind) => [kind.kind, { synced: kind.phase === 'synced', count: kind.count, held: kind.held }]);
  return Object.fromEntries(statuses) as Record<RecordKind, KindStatus>;
}
