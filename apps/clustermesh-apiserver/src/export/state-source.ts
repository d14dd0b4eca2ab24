import { type Clock, LOCAL_SCOPE, type Random, type Store, type TableWriter } from '@isthmus/core';
import { holdSweeps, type KvStore, type MirrorChange, mirrorPrefix, type RelistReason } from '@isthmus/kvstore';
import {
  type DropReason,
  decodeRecord,
  type IdentityRecord,
  LABEL_SOURCE_K8S,
  type RecordKind,
  type RecordRows,
  splitLabel,
  stateLayout,
} from '@isthmus/mesh';
import type { ExportSources } from './export-tables.ts';
import type { OwnClusterFacts } from './own-cluster.ts';

/** Label that names the namespace of a pod identity. */
const NAMESPACE_LABEL = 'io.kubernetes.pod.namespace';

/** What the source reads with. */
export interface StateSourceOptions {
  /** The cluster etcd. */
  readonly kv: KvStore;
  readonly store: Store;
  readonly own: OwnClusterFacts;
  readonly clock: Clock;
  readonly random: Random;
  onDropped(kind: RecordKind, name: string, reason: DropReason): void;
  /** The etcd is another one, or may not hold what was written to it: it was wiped, or restored from a copy. */
  onReplaced(): void;
}

/**
 * Mirrors what agents and operator publish in the cluster etcd: nodes, identities, addresses, WireGuard's keys and their target. Each record is checked as a peer would check it, and kept
 * as it is written. What fails is not exported.
 */
export async function runStateSource(options: StateSourceOptions, sources: ExportSources, signal: AbortSignal): Promise<void> {
  const { nodes, identities, ips, wireguard, wireguardTarget } = sources;
  const asItIs = (_record: unknown, value: string): string => value;
  await Promise.all([
    mirrorKind(options, 'nodes', nodes, asItIs, signal),
    mirrorKind(options, 'wireguard', wireguard, asItIs, signal),
    mirrorKind(options, 'wireguardtargets', wireguardTarget, asItIs, signal),
    mirrorKind(options, 'identities', identities, (record, value) => ({ namespace: namespaceOf(record), value }), signal),
    mirrorKind(options, 'ips', ips, (record, value) => ({ namespace: record.namespace, value }), signal),
  ]);
}

function mirrorKind<K extends 'nodes' | 'identities' | 'ips' | 'wireguard' | 'wireguardtargets', V>(
  options: StateSourceOptions,
  kind: K,
  writer: TableWriter<V>,
  rowOf: (record: RecordRows[K], value: string) => V,
  signal: AbortSignal,
): Promise<void> {
  const { kv, store, own, clock, random, onDropped } = options;
  const { prefix } = stateLayout(kind, own.cluster);
  const read = (name: string, value: Uint8Array): V | undefined => {
    const decoded = decodeRecord(kind, value, { ...own, name });
    if (decoded.ok) return rowOf(decoded.value, Buffer.from(value).toString());
    onDropped(kind, name, decoded.reason);
    return undefined;
  };
  const apply = ({ name, value }: MirrorChange): void => {
    const row = value && read(name, value);
    if (row === undefined) writer.delete(name);
    else writer.put(name, row);
  };
  writer.declare(LOCAL_SCOPE);
  writer.scopesKnown();
  const handlers = {
    onBatch: (changes: readonly MirrorChange[]) => store.transact(() => changes.forEach(apply)),
    onSynced: () => writer.synced(LOCAL_SCOPE),
    // All kinds see it; one tells.
    onRelist: (reason: RelistReason) => {
      if (kind === 'nodes' && reason !== 'compacted' && reason !== 'too-large') options.onReplaced();
    },
  };
  // Peers would believe each deletion: our canaries stand in the mesh etcd, whatever happened to the cluster's own.
  return mirrorPrefix(kv, { prefix, clock, random, signal, ...holdSweeps(handlers, { clock, signal }) });
}

function namespaceOf({ labels }: IdentityRecord): string {
  for (const label of labels) {
    const parts = splitLabel(label);
    if (parts?.source === LABEL_SOURCE_K8S && parts.key === NAMESPACE_LABEL) return parts.value;
  }
  return '';
}
