import type { Store, TableWriter } from '@isthmus/core';
import type { ClusterConfig, RecordChange, RecordKind, RecordRows, RemoteSink, ValuesByKind } from '@isthmus/mesh';
import type { SourceTables } from '../tables/agent-tables.ts';
import { backendSetRow, identityRow, ipRow, nodeRow, recordRowKey } from './record-rows.ts';

/** Kinds of records that an agent keeps, and their tables' names among the sources. */
const WRITERS = {
  nodes: 'remoteNodes',
  identities: 'remoteIdentities',
  ips: 'remoteIps',
  services: 'remoteBackends',
  wireguard: 'remoteWireGuard',
  wireguardtargets: 'remoteWireGuardTargets',
} as const;
type Kept = keyof typeof WRITERS;

/** One remote cluster's rows in the agent's tables. */
export class RemoteTables implements RemoteSink<RecordRows & ValuesByKind> {
  readonly #store: Store;
  readonly #tables: SourceTables;
  readonly #cluster: string;
  readonly #scopeOf: (clusterId: number) => string;
  #clusterId = 0;

  constructor(store: Store, tables: SourceTables, cluster: string, scopeOf: (clusterId: number) => string) {
    this.#store = store;
    this.#tables = tables;
    this.#cluster = cluster;
    this.#scopeOf = scopeOf;
  }

  /** Number of the cluster; 0 while it is not known. */
  get clusterId(): number {
    return this.#clusterId;
  }

  /** The cluster exists under this number: what the kernel has of it is not to be touched before it is synced. */
  expect(clusterId: number): void {
    if (clusterId === 0 || clusterId === this.#clusterId) return;
    if (this.#clusterId !== 0) this.#forgetScope();
    this.#clusterId = clusterId;
    for (const writer of this.#writers()) writer.declare(this.#scopeOf(clusterId));
  }

  accepted(config: ClusterConfig): void {
    this.expect(config.id);
  }

  apply<K extends RecordKind>(kind: K, changes: readonly RecordChange<RecordRows[K]>[]): void {
    if (kind === 'serviceexports') return;
    const writer = this.#writer(kind as Kept);
    this.#store.transact(() => {
      for (const { name, value } of changes) {
        const key = recordRowKey(kind, this.#cluster, name);
        if (value === undefined) writer.delete(key);
        else writer.put(key, this.#row(kind as Kept, value));
      }
    });
  }

  synced(kind: RecordKind): void {
    if (kind !== 'serviceexports') this.#writer(kind).synced(this.#scopeOf(this.#clusterId));
  }

  /** Looks through whole tables, which happens once in a cluster's life; keys kept for it would cost every row its memory. */
  drained(): void {
    this.#store.transact(() => {
      for (const writer of this.#writers())
        for (const [key, row] of writer.table.rows()) if ((row as { cluster: string }).cluster === this.#cluster) writer.delete(key);
    });
    this.#forgetScope();
    this.#clusterId = 0;
  }

  #forgetScope(): void {
    for (const writer of this.#writers()) writer.forget(this.#scopeOf(this.#clusterId));
  }

  #row(kind: Kept, value: unknown): unknown {
    const owner = { cluster: this.#cluster, clusterId: this.#clusterId };
    switch (kind) {
      case 'nodes':
        return nodeRow(value as RecordRows['nodes']);
      case 'identities':
        return identityRow(owner, value as RecordRows['identities']);
      case 'ips':
        return ipRow(owner, value as RecordRows['ips']);
      case 'services':
        return backendSetRow(value as RecordRows['services']);
      case 'wireguard':
      case 'wireguardtargets':
        return value;
    }
  }

  #writer(kind: Kept): TableWriter<unknown> {
    return this.#tables[WRITERS[kind]] as unknown as TableWriter<unknown>;
  }

  #writers(): TableWriter<unknown>[] {
    return (Object.keys(WRITERS) as Kept[]).map((kind) => this.#writer(kind));
  }
}
