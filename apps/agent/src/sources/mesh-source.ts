import { type Clock, type Random, type Store, type TableWriter } from '@isthmus/core';
import { clusterScope } from '@isthmus/datapath';
import { KvFollower, type KvStore } from '@isthmus/kvstore';
import {
  ClusterIds,
  type DropReason,
  decodedRows,
  isthmusHeartbeatKey,
  type OwnCluster,
  type RecordKind,
  RemoteCluster,
  type RemoteState,
  type RemoteStatus,
} from '@isthmus/mesh';
import type { SourceTables } from '../tables/agent-tables.ts';
import { ConfiguredClusters } from './configured-clusters.ts';
import { RemoteTables } from './remote-tables.ts';

/** What the source reads with. */
export interface MeshSourceOptions {
  /** The mesh etcd of this cluster, as `local-<cluster>`. */
  readonly kv: KvStore;
  readonly endpoints: readonly string[];
  readonly store: Store;
  readonly own: OwnCluster;
  readonly clock: Clock;
  readonly random: Random;
  readonly onTransition: (cluster: string, from: RemoteState, to: RemoteState) => void;
  readonly onDropped: (cluster: string, kind: RecordKind, name: string, reason: DropReason) => void;
  readonly onDisconnected: (error: unknown) => void;
  /** Something that is followed is followed no more. */
  readonly onDefect: (error: unknown) => void;
}

/**
 * Follows every remote cluster that is configured for this one, in the mesh etcd's cache. The list of clusters is a key of its own that no
 * lease takes away: only when it says so is a cluster gone.
 */
export class MeshSource {
  readonly #options: MeshSourceOptions;
  readonly #tables: SourceTables;
  readonly #follower: KvFollower;
  readonly #configured: ConfiguredClusters;
  readonly #ids = new ClusterIds();
  readonly #caBundles = new Map<string, string>();
  readonly #clusters = new Map<string, { remote: RemoteCluster<never>; tables: RemoteTables }>();

  constructor(options: MeshSourceOptions, tables: SourceTables) {
    this.#options = options;
    this.#tables = tables;
    const { kv, endpoints, own, clock, random, onDisconnected, onDefect } = options;
    this.#follower = new KvFollower({ kv, endpoints, clock, random, onFailed: (_prefix, error) => onDefect(error) });
    this.#configured = new ConfiguredClusters({
      kv,
      ownCluster: own.name,
      clock,
      random,
      onConfigured: (cluster, { id, caBundle }) => {
        this.#caBundles.set(cluster, caBundle);
        this.#configure(cluster, id);
      },
      onRemoved: (cluster) => this.#remove(cluster),
      onComplete: () => this.#checkKnown(),
      onDisconnected,
    });
  }

  /** Whether it is known which clusters there are. */
  get listed(): boolean {
    return this.#configured.complete;
  }

  /** CAs of a remote cluster's certificates, PEM; empty: it is not configured, or they are not known. */
  caBundleOf(cluster: string): string {
    return this.#caBundles.get(cluster) ?? '';
  }

  /** Each remote cluster as it stands. */
  statuses(): RemoteStatus[] {
    return [...this.#clusters.values()].map(({ remote }) => remote.status());
  }

  /** Follows the list of clusters until the signal aborts. Nothing is dropped then. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#configured.run(signal);
    for (const { remote } of this.#clusters.values()) remote.stop();
  }

  /**
   * Once the list is in and every cluster on it has a number, whatever carries another number is nobody's. A cluster without a number could be
   * the owner of anything.
   */
  #checkKnown(): void {
    if (!this.listed || [...this.#clusters.values()].some(({ tables }) => tables.clusterId === 0)) return;
    for (const writer of remoteWriters(this.#tables)) writer.scopesKnown();
  }

  /** @param clusterId 0: its number is not known yet */
  #configure(cluster: string, clusterId: number): void {
    const known = this.#clusters.get(cluster);
    if (known) known.tables.expect(clusterId);
    else this.#start(cluster, clusterId);
    this.#checkKnown();
  }

  #remove(cluster: string): void {
    this.#clusters.get(cluster)?.remote.remove();
    this.#clusters.delete(cluster);
    this.#caBundles.delete(cluster);
    this.#checkKnown();
  }

  #start(cluster: string, clusterId: number): void {
    const { store, own, clock, random, onTransition, onDropped } = this.#options;
    const tables = new RemoteTables(store, this.#tables, cluster, (id) => clusterScope(id, own.id));
    tables.expect(clusterId);
    const remote = new RemoteCluster({
      cluster,
      own,
      store: this.#follower,
      sink: tables,
      values: decodedRows,
      ids: this.#ids,
      clock,
      random,
      heartbeatKey: isthmusHeartbeatKey(cluster),
      onTransition: ({ from, to }) => {
        onTransition(cluster, from, to);
        this.#checkKnown();
      },
      onDropped: (kind, name, { reason }) => onDropped(cluster, kind, name, reason),
    });
    this.#clusters.set(cluster, { remote: remote as unknown as RemoteCluster<never>, tables });
    remote.start();
  }
}

/** Tables that remote clusters write into. */
export function remoteWriters(tables: SourceTables): readonly TableWriter<never>[] {
  const { remoteNodes, remoteIps, remoteIdentities, remoteBackends, remoteWireGuard, remoteWireGuardTargets } = tables;
  return [
    remoteNodes,
    remoteIps,
    remoteIdentities,
    remoteBackends,
    remoteWireGuard,
    remoteWireGuardTargets,
  ] as unknown as TableWriter<never>[];
}
