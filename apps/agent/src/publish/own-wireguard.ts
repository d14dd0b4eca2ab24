import { LOCAL_SCOPE, type Sink, type SinkGroup, type Store } from '@isthmus/core';
import type { KvStore } from '@isthmus/kvstore';
import { encodeWireGuard, wireGuardKey } from '@isthmus/mesh';
import type { WireGuardRow } from '@isthmus/model';
import { type KvRecordCodec, KvRecordSink } from './kv-record-sink.ts';

/** Publishes what a node says of its keys. Said again, it is looked whether the cluster etcd has it: somebody may have removed it. */
export type PublishWireGuard = (row: WireGuardRow) => void;

/** What {@link declareOwnWireGuard} works with. */
export interface OwnWireGuardOptions {
  readonly store: Store;
  readonly group: SinkGroup;
  /** The cluster etcd. */
  readonly kv: KvStore;
  readonly cluster: string;
  readonly node: string;
  /** Whether the node encrypts: if not, a record from when it did goes. */
  readonly encrypts: boolean;
  readonly after: readonly Sink<unknown>[];
}

/** Declares the table of what the node publishes of its WireGuard keys, of one row, and its sink. */
export function declareOwnWireGuard(options: OwnWireGuardOptions): PublishWireGuard {
  const { store, group, kv, cluster, node, encrypts, after } = options;
  const own = store.table<WireGuardRow>('own-wireguard');
  // Peers send by the record of an earlier run: it stays until there is another one, or none is wanted.
  const complete = (): void => own.synced(LOCAL_SCOPE);
  if (!encrypts) complete();
  const target = new KvRecordSink(kv, ownWireGuardCodec(cluster, node));
  const sink = group.add({ name: 'own-wireguard', table: own.table, target, after });
  return (row) => {
    const before = own.table.revisionOf(node);
    own.put(node, row);
    complete();
    if (own.table.revisionOf(node) === before) sink.redo();
  };
}

/** The node's own key, and no other: its row's key is the node's name. */
export function ownWireGuardCodec(cluster: string, node: string): KvRecordCodec<WireGuardRow> {
  const own = wireGuardKey(cluster, node);
  return {
    key: (name) => wireGuardKey(cluster, name),
    value: (_name, row) => encodeWireGuard(row),
    // Not the whole kind's: every node would list all others' at each start.
    prefix: own,
    own: (key) => (key === own ? node : undefined),
  };
}
