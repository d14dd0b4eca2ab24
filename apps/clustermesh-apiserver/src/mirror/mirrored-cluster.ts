import type { Clock, Store } from '@isthmus/core';
import {
  type ClusterConfig,
  type ClusterIds,
  cacheLayout,
  clusterConfigKey,
  encodeClusterConfig,
  encodeConfiguredCluster,
  type RawValues,
  RECORD_KINDS,
  type RecordChange,
  type RecordKind,
  type RemoteSink,
} from '@isthmus/mesh';
import { byKind } from '../by-kind.ts';
import { Canary } from '../mesh-etcd/canary.ts';
import { type CacheTables, cacheKey, cacheWriters } from './cache-tables.ts';

/** What a {@link MirroredCluster} works with. */
export interface MirroredClusterOptions {
  cluster: string;
  /** Number under which it was last known; 0: none. */
  id: number;
  /** CAs of its certificates, PEM; empty: not known. */
  caBundle: string;
  tables: CacheTables;
  store: Store;
  ids: ClusterIds;
  clock: Clock;
}

/** One remote cluster's part of the mirror: takes what is followed and says it in the tables. */
export class MirroredCluster implements RemoteSink<RawValues> {
  readonly cluster: string;
  readonly #options: MirroredClusterOptions;
  readonly #canaries: Readonly<Record<RecordKind, Canary>>;
  /** Kinds of which every record is in the tables. */
  readonly #complete = new Set<RecordKind>();
  #id: number;
  #caBundle: string;

  constructor(options: MirroredClusterOptions) {
    const { cluster, tables } = options;
    this.#options = options;
    this.cluster = cluster;
    this.#id = options.id;
    this.#caBundle = options.caBundle;
    this.#canaries = byKind((kind) => this.#canary(kind));
    // What the mesh etcd has of it from earlier stays until it is known what there is.
    for (const writer of cacheWriters(tables)) writer.declare(cluster);
    this.#sayConfigured();
  }

  /** Number under which it is known; 0: none yet. */
  get id(): number {
    return this.#id;
  }

  /** Has agents know its nodes by these CAs. */
  trust(caBundle: string): void {
    if (caBundle === this.#caBundle) return;
    this.#caBundle = caBundle;
    this.#sayConfigured();
  }

  /** Names of the records that the tables have now. */
  known(): Record<RecordKind, string[]> {
    return byKind((kind) => this.#rowKeys(kind).map((key) => key.slice(cacheKey(kind, this.cluster, '').length)));
  }

  apply<K extends RecordKind>(kind: K, changes: readonly RecordChange<RawValues[K]>[]): void {
    const writer = this.#options.tables.records[kind];
    this.#options.store.transact(() => {
      for (const { name, value } of changes) {
        const key = cacheKey(kind, this.cluster, name);
        if (value === undefined) writer.delete(key);
        // Checked to be UTF-8, so that the text is the bytes.
        else writer.put(key, Buffer.from(value).toString());
      }
    });
  }

  synced(kind: RecordKind): void {
    this.#complete.add(kind);
    this.#options.tables.records[kind].synced(this.cluster);
    this.#canaries[kind].arm();
  }

  accepted(config: ClusterConfig): void {
    const { tables, ids } = this.#options;
    // A connection that was replaced may have left its id behind.
    if (this.#id !== config.id) ids.release(this.#id, this.cluster);
    this.#id = config.id;
    const mirrored = { ...config, cached: true, syncedCanaries: true, endpointSlicesExportMode: '' };
    tables.leased.writer.put(clusterConfigKey(this.cluster), encodeClusterConfig(mirrored));
    this.#sayConfigured();
  }

  heartbeat(value: string): void {
    this.#options.tables.heartbeats.put(this.cluster, value);
  }

  drained(): void {
    this.#drop();
    for (const kind of RECORD_KINDS) this.#options.tables.records[kind].declare(this.cluster);
  }

  /** The mesh etcd was replaced: what was announced there is announced again once it is there again. */
  announceAgain(): void {
    for (const kind of RECORD_KINDS) {
      this.#canaries[kind].withdraw();
      if (this.#complete.has(kind)) this.#canaries[kind].arm();
    }
  }

  /** The process ends: nothing changes any more. */
  stop(): void {
    for (const kind of RECORD_KINDS) this.#canaries[kind].stop();
  }

  /** The cluster is not configured any more: nothing of it is wanted. */
  forget(): void {
    const { tables, store } = this.#options;
    store.transact(() => {
      tables.clusters.delete(this.cluster);
      tables.heartbeats.delete(this.cluster);
      this.#drop();
    });
    for (const writer of cacheWriters(tables)) writer.forget(this.cluster);
  }

  #sayConfigured(): void {
    this.#options.tables.clusters.put(this.cluster, encodeConfiguredCluster({ id: this.#id, caBundle: this.#caBundle }));
  }

  #drop(): void {
    const { tables, store } = this.#options;
    this.#complete.clear();
    store.transact(() => {
      tables.leased.writer.delete(clusterConfigKey(this.cluster));
      for (const kind of RECORD_KINDS) {
        this.#canaries[kind].withdraw();
        for (const key of this.#rowKeys(kind)) tables.records[kind].delete(key);
      }
    });
  }

  #rowKeys(kind: RecordKind): string[] {
    const prefix = `${this.cluster}/`;
    return [...this.#options.tables.records[kind].table.rows()].flatMap(([key]) => (key.startsWith(prefix) ? [key] : []));
  }

  #canary(kind: RecordKind): Canary {
    const { cluster, tables, store, clock } = this.#options;
    const concerns = (key: string): boolean => key.startsWith(`${cluster}/`);
    return new Canary({
      key: cacheLayout(kind, cluster).canary,
      clock,
      leased: tables.leased.writer,
      flushed: (signal) => tables.recordSinks[kind].flushed(store.revision, concerns, signal),
    });
  }
}
