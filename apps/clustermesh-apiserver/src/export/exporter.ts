import { type Clock, LOCAL_SCOPE, LOG, type Random, type Sink, type Store } from '@isthmus/core';
import type { KvStore } from '@isthmus/kvstore';
import {
  clusterConfigKey,
  DropCounters,
  type DropReason,
  encodeClusterConfig,
  RECORD_KINDS,
  type RecordKind,
  stateLayout,
} from '@isthmus/mesh';
import type { ResourceStore } from '@isthmus/model';
import { byKind } from '../by-kind.ts';
import type { Log } from '../log.ts';
import { Canary } from '../mesh-etcd/canary.ts';
import type { LeasedKeys } from '../mesh-etcd/leased-keys.ts';
import type { MeshEtcd } from '../mesh-etcd/mesh-etcd.ts';
import { declareExportTables, type ExportedTables, type ExportSources } from './export-tables.ts';
import { startHeartbeat } from './heartbeat.ts';
import type { OwnClusterFacts } from './own-cluster.ts';
import { type ResourceSourceOptions, runNamespaceSource, runServiceSource } from './resource-source.ts';
import { runStateSource } from './state-source.ts';

/** What an {@link Exporter} works with. */
export interface ExporterOptions {
  /** The cluster etcd. */
  clusterKv: KvStore;
  resources: ResourceStore;
  mesh: MeshEtcd;
  store: Store;
  own: OwnClusterFacts;
  globalByDefault: boolean;
  heartbeatMs: number;
  clock: Clock;
  random: Random;
  log: Log;
}

/**
 * Publishes the cluster in its mesh etcd. A kind's canary is written when all of the kind has been read and written once, also when there is
 * none of it: until then importers keep what they have.
 */
export class Exporter {
  readonly #options: ExporterOptions;
  readonly #sources: ExportSources;
  readonly #exported: ExportedTables;
  readonly #sinks: Readonly<Record<RecordKind, Sink<string>>>;
  readonly #leased: LeasedKeys;
  readonly #canaries: Readonly<Record<RecordKind, Canary>>;
  readonly #onClusterReplaced: (() => void)[] = [];
  /** Records of our own agents that a peer would not take. */
  readonly drops = new DropCounters();

  constructor(options: ExporterOptions) {
    const { store, own, mesh } = options;
    this.#options = options;
    const { sources, exported } = declareExportTables(store, own, options.globalByDefault);
    this.#sources = sources;
    this.#exported = exported;
    this.#sinks = this.#declareSinks();
    this.#leased = mesh.addLeased({ name: 'state/leased', listed: [], scopeOf: () => undefined });
    this.#canaries = byKind((kind) => this.#canary(kind));
    mesh.onReplaced((reason) => reason !== 'compacted' && this.#announceAgain());
  }

  /** Kinds that have not been announced as complete. */
  missing(): RecordKind[] {
    return RECORD_KINDS.filter((kind) => !this.#canaries[kind].standing);
  }

  /** Calls the listener whenever the cluster etcd turns out to be another one, or a copy. */
  onClusterReplaced(listener: () => void): void {
    this.#onClusterReplaced.push(listener);
  }

  /** Names of the cluster's own nodes; undefined before they have been listed. */
  nodes(): string[] | undefined {
    const { table } = this.#sources.nodes;
    return table.scopes.isSynced(LOCAL_SCOPE) ? [...table.rows()].map(([name]) => name) : undefined;
  }

  /** Exports until the signal aborts. Everything stays as it is then. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, own, heartbeatMs, clock } = this.#options;
    this.#leased.writer.put(clusterConfigKey(own.cluster), ownConfig(own));
    const stopHeartbeat = startHeartbeat(this.#leased.writer, heartbeatMs, clock);
    const stopListening = store.changed.listen(() => this.#announce());
    const resources = this.#resourceOptions();
    const namespaces = runNamespaceSource(resources, this.#sources, signal);
    try {
      await Promise.all([namespaces, this.#runOthers(resources, signal)]);
    } finally {
      stopHeartbeat();
      stopListening();
      for (const kind of RECORD_KINDS) this.#canaries[kind].stop();
    }
  }

  /** The rest waits for the namespaces: what is not to be published must not be seen even for a moment. */
  async #runOthers(resources: ResourceSourceOptions, signal: AbortSignal): Promise<void> {
    const { store, clusterKv, own, clock, random, log } = this.#options;
    const listed = store.changed.until(() => this.#sources.namespaces.table.scopes.isSynced(LOCAL_SCOPE), signal);
    await listed.catch(() => undefined); // rejects only by abort
    if (signal.aborted) return;
    const onDropped = (kind: RecordKind, name: string, reason: DropReason): void => {
      this.drops.add(kind, reason, name);
      log.warn({ kind, [LOG.key]: name, [LOG.reason]: reason }, 'a record of this cluster is malformed and is not exported');
    };
    const onReplaced = (): void => {
      for (const listener of this.#onClusterReplaced) listener();
    };
    const state = { kv: clusterKv, store, own, clock, random, onDropped, onReplaced };
    await Promise.all([runStateSource(state, this.#sources, signal), runServiceSource(resources, this.#sources, signal)]);
  }

  #resourceOptions(): ResourceSourceOptions {
    const { resources, store, globalByDefault, log } = this.#options;
    return {
      resources,
      store,
      globalByDefault,
      onInvalid: (key, error) => log.warn({ [LOG.key]: key, [LOG.error]: error }, 'a resource is malformed and counts as absent'),
    };
  }

  #declareSinks(): Record<RecordKind, Sink<string>> {
    const add = (kind: RecordKind, after: readonly Sink<string>[] = []): Sink<string> =>
      this.#options.mesh.add({
        name: `state/${kind}`,
        table: this.#exported[kind],
        prefix: stateLayout(kind, this.#options.own.cluster).prefix,
        scopeOf: () => LOCAL_SCOPE,
        after,
        // A service without its slices would take its backends away everywhere, until they are listed too.
        startWhenSynced: LOCAL_SCOPE,
      });
    const [nodes, identities] = [add('nodes'), add('identities')];
    // A peer that reads an address knows its identity and node already.
    return {
      nodes,
      identities,
      ips: add('ips', [nodes, identities]),
      services: add('services'),
      serviceexports: add('serviceexports'),
      wireguard: add('wireguard'),
      wireguardtargets: add('wireguardtargets'),
    };
  }

  #canary(kind: RecordKind): Canary {
    const { clock, own, store } = this.#options;
    return new Canary({
      key: stateLayout(kind, own.cluster).canary,
      clock,
      leased: this.#leased.writer,
      flushed: (signal) => this.#sinks[kind].flushed(store.revision, () => true, signal),
    });
  }

  #announce(): void {
    for (const kind of RECORD_KINDS) if (this.#exported[kind].scopes.isSynced(LOCAL_SCOPE)) this.#canaries[kind].arm();
  }

  #announceAgain(): void {
    for (const kind of RECORD_KINDS) this.#canaries[kind].withdraw();
    this.#announce();
  }
}

function ownConfig({ clusterId, maxConnectedClusters, tunnelProtocol }: OwnClusterFacts): string {
  return encodeClusterConfig({
    id: clusterId,
    syncedCanaries: true,
    cached: false,
    maxConnectedClusters,
    serviceExportsEnabled: true,
    endpointSlicesExportMode: '',
    tunnelProtocol,
    wireguard: true,
  });
}
