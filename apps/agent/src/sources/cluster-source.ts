import { type Clock, LOCAL_SCOPE, type Random, type Store, type TableWriter } from '@isthmus/core';
import { holdSweeps, type KvStore, type MirrorChange, type MirrorOptions, mirrorPrefix, type RelistReason } from '@isthmus/kvstore';
import {
  type Decoded,
  decodeRecord,
  type MaxConnectedClusters,
  type RecordContext,
  type RecordKind,
  type RecordRows,
  stateLayout,
} from '@isthmus/mesh';
import type { SourceTables } from '../tables/agent-tables.ts';
import { identityRow, ipRow, nodeRow, type RecordOwner, recordRowKey } from './record-rows.ts';

/** What the source reads with. */
export interface ClusterSourceOptions {
  readonly kv: KvStore;
  readonly store: Store;
  readonly owner: RecordOwner;
  readonly maxConnectedClusters: MaxConnectedClusters;
  readonly clock: Clock;
  readonly random: Random;
  readonly onDropped: (kind: RecordKind, name: string, reason: string) => void;
  readonly onDisconnected: (error: unknown) => void;
  /** The etcd may not hold what this node wrote: it was wiped, or restored from a copy. */
  readonly onRelist: (reason: RelistReason) => void;
}

/**
 * Mirrors the cluster's own nodes, identities, addresses, WireGuard keys and target from its etcd into their tables. A lost connection changes
 * nothing: the tables stay as they are until the etcd says otherwise.
 */
export async function runClusterSource(options: ClusterSourceOptions, tables: SourceTables, signal: AbortSignal): Promise<void> {
  await Promise.all([
    mirrorKind(options, 'nodes', tables.localNodes, nodeRow, signal),
    mirrorKind(options, 'identities', tables.localIdentities, (record) => identityRow(options.owner, record), signal),
    mirrorKind(options, 'ips', tables.localIps, (record) => ipRow(options.owner, record), signal),
    mirrorKind(options, 'wireguard', tables.localWireGuard, (record) => record, signal),
    mirrorKind(options, 'wireguardtargets', tables.localWireGuardTargets, (record) => record, signal),
  ]);
}

function mirrorKind<K extends RecordKind, V>(
  options: ClusterSourceOptions,
  kind: K,
  writer: TableWriter<V>,
  toRow: (record: RecordRows[K]) => V,
  signal: AbortSignal,
): Promise<void> {
  const { prefix } = stateLayout(kind, options.owner.cluster);
  const context = { ...options.owner, maxConnectedClusters: options.maxConnectedClusters };
  const rowKey = (name: string): string => recordRowKey(kind, options.owner.cluster, name);
  const apply = ({ name, value }: MirrorChange): void => {
    const decoded: Decoded<RecordRows[K]> | undefined = value && decodeRecord(kind, value, { ...context, name } as RecordContext);
    if (decoded && !decoded.ok) options.onDropped(kind, name, decoded.reason);
    if (decoded?.ok) writer.put(rowKey(name), toRow(decoded.value));
    else writer.delete(rowKey(name));
  };
  const { kv, clock, random, onDisconnected } = options;
  const handlers = {
    onBatch: (changes: readonly MirrorChange[]) => options.store.transact(() => changes.forEach(apply)),
    onSynced: () => writer.synced(LOCAL_SCOPE),
    // A copy looks like the etcd where nothing changed since it was made: each prefix tells for what this node writes under it.
    // Where there are no records, as of keys in a mesh that does not encrypt, nothing can be known again, and nothing was lost.
    onRelist: (reason: RelistReason) => {
      if (reason !== 'unproven' || writer.table.size > 0) options.onRelist(reason);
    },
  };
  // An identity that is missing is made again by whoever uses it: he must see at once that it is.
  const swept: Pick<MirrorOptions, 'onBatch' | 'onSynced' | 'onRelist'> =
    kind === 'identities' ? handlers : holdSweeps(handlers, { clock, signal });
  return mirrorPrefix(kv, { prefix, clock, random, signal, onDisconnected, ...swept });
}
