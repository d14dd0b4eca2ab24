import { Backoff, type Clock, delay, LOG, type Random, type Store } from '@isthmus/core';
import { KvFollower, type KvStore } from '@isthmus/kvstore';
import {
  ClusterIds,
  ClusterNetworks,
  decodeConfiguredCluster,
  ISTHMUS_CLUSTERS_PREFIX,
  isthmusClustersCanaryKey,
  type OwnCluster,
  type RawValues,
  RemoteCluster,
  type RemoteStatus,
  rawValues,
} from '@isthmus/mesh';
import type { Log } from '../log.ts';
import { Canary } from '../mesh-etcd/canary.ts';
import type { MeshEtcd } from '../mesh-etcd/mesh-etcd.ts';
import { type CacheTables, cacheWriters, declareCacheTables } from './cache-tables.ts';
import { MirroredCluster } from './mirrored-cluster.ts';
import type { RemoteConfig, RemoteConfigSource } from './remote-config.ts';

/** Reading the own mesh etcd at the start is tried until it works. */
const RETRY = { minMs: 250, maxMs: 15_000 };

/** What {@link RemoteMirrors} works with. */
export interface RemoteMirrorsOptions {
  /** The own mesh etcd. */
  kv: KvStore;
  mesh: MeshEtcd;
  store: Store;
  own: OwnCluster;
  /** Pod networks of this cluster. */
  podCidrs: readonly string[];
  /** Bytes of records that one remote cluster may have. */
  remoteMaxBytes: number;
  configs: RemoteConfigSource;
  /** Opens a connection to a remote's mesh etcd. @throws CodedError KV_CONFIG */
  connect(config: RemoteConfig): KvStore;
  clock: Clock;
  random: Random;
  log: Log;
}

/** A remote cluster and what follows it; without a connection when its configuration cannot be used. */
interface Session {
  config: RemoteConfig;
  readonly mirrored: MirroredCluster;
  connection: { kv: KvStore; remote: RemoteCluster<RawValues> } | undefined;
  problem: unknown;
  failures: number;
  lastFailure: number;
}

/** How the mirror of one remote does, for status and metrics. */
export interface MirrorStatus {
  readonly name: string;
  /** Undefined while there is no connection, for the reason in `problem`. */
  readonly remote: RemoteStatus | undefined;
  readonly problem: unknown;
  /** Times that it fell out of order. */
  readonly failures: number;
  /** Wall time of the last of them, milliseconds; 0: never. */
  readonly lastFailure: number;
}

/** Mirrors every configured remote cluster into the own mesh etcd, for as long as it is configured. */
export class RemoteMirrors {
  readonly #options: RemoteMirrorsOptions;
  readonly #tables: CacheTables;
  readonly #ids = new ClusterIds();
  readonly #networks = new ClusterNetworks();
  readonly #sessions = new Map<string, Session>();
  /** Numbers that the mesh etcd has from an earlier process. */
  readonly #knownIds = new Map<string, number>();
  readonly #listed: Canary;
  #configured = false;

  constructor(options: RemoteMirrorsOptions) {
    this.#options = options;
    this.#tables = declareCacheTables(options.store, options.mesh, options.own.name);
    this.#listed = this.#listCanary();
    this.#networks.set(options.own.name, options.podCidrs);
    options.mesh.onReplaced((reason) => reason !== 'compacted' && this.#announceAgain());
  }

  /** True once it is known which clusters are configured. */
  get configured(): boolean {
    return this.#configured;
  }

  /** Every configured cluster, by name. */
  statuses(): MirrorStatus[] {
    return [...this.#sessions.values()].map(({ config, connection, problem, failures, lastFailure }) => {
      return { name: config.name, remote: connection?.remote.status(), problem, failures, lastFailure };
    });
  }

  /** Mirrors until the signal aborts. Everything stays as it is then. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#readKnownIds(signal);
    if (signal.aborted) return;
    try {
      await this.#options.configs.watch((configs) => this.#apply(configs), signal);
    } finally {
      this.#listed.stop();
      for (const session of this.#sessions.values()) {
        session.mirrored.stop();
        this.#disconnect(session);
      }
    }
  }

  #apply(configs: readonly RemoteConfig[]): void {
    const wanted = new Map(configs.map((config) => [config.name, config]));
    for (const session of [...this.#sessions.values()]) if (!wanted.has(session.config.name)) this.#remove(session);
    for (const config of configs) this.#configure(config);
    this.#configured = true;
    // Every configured cluster is declared now: whatever else the cache holds is nobody's.
    for (const writer of cacheWriters(this.#tables)) writer.scopesKnown();
    this.#listed.arm();
  }

  #listCanary(): Canary {
    const { own, store, clock } = this.#options;
    const { leased, clusterSink } = this.#tables;
    const flushed = (signal: AbortSignal): Promise<void> => clusterSink.flushed(store.revision, () => true, signal);
    return new Canary({ key: isthmusClustersCanaryKey(own.name), clock, leased: leased.writer, flushed });
  }

  #announceAgain(): void {
    for (const { mirrored } of this.#sessions.values()) mirrored.announceAgain();
    this.#listed.withdraw();
    if (this.#configured) this.#listed.arm();
  }

  #configure(config: RemoteConfig): void {
    const known = this.#sessions.get(config.name);
    known?.mirrored.trust(config.caBundle);
    if (known?.config.digest === config.digest) return;
    const session = known ?? this.#open(config);
    session.config = config;
    session.problem = config.problem;
    this.#networks.set(config.name, config.podCidrs);
    if (config.problem !== undefined) {
      const fields = { [LOG.cluster]: config.name, [LOG.error]: config.problem };
      this.#options.log.error(fields, 'the configuration of a remote cluster cannot be used');
    }
    // With a broken configuration an existing connection goes on: it was good.
    if (config.etcd) this.#connect(session);
  }

  #open(config: RemoteConfig): Session {
    const { store, clock, log } = this.#options;
    const { name } = config;
    const id = config.id || (this.#knownIds.get(name) ?? 0);
    // Taken before anybody is connected: a cluster that is away must find its id free when it is back.
    if (id !== 0) this.#ids.reserve(id, name);
    const mirrored = new MirroredCluster({
      cluster: name,
      id,
      caBundle: config.caBundle,
      tables: this.#tables,
      store,
      ids: this.#ids,
      clock,
    });
    const session: Session = { config, mirrored, connection: undefined, problem: undefined, failures: 0, lastFailure: 0 };
    this.#sessions.set(name, session);
    log.info({ [LOG.cluster]: name }, 'a remote cluster is configured');
    return session;
  }

  #connect(session: Session): void {
    const adopted = session.mirrored.known();
    this.#disconnect(session);
    try {
      const kv = this.#options.connect(session.config);
      session.connection = { kv, remote: this.#follow(session, kv, adopted) };
      session.connection.remote.start();
    } catch (error) {
      session.problem = error;
      this.#options.log.error({ [LOG.cluster]: session.config.name, [LOG.error]: error }, 'a remote cluster cannot be connected');
    }
  }

  #follow(session: Session, kv: KvStore, adopted: ReturnType<MirroredCluster['known']>): RemoteCluster<RawValues> {
    const { own, clock, random, log, remoteMaxBytes } = this.#options;
    const { name, etcd, id } = session.config;
    const onFailed = (prefix: string, error: unknown): void =>
      log.error({ [LOG.cluster]: name, [LOG.key]: prefix, [LOG.error]: error }, 'following a remote cluster broke off');
    return new RemoteCluster<RawValues>({
      cluster: name,
      own,
      store: new KvFollower({ kv, endpoints: etcd?.endpoints ?? [], clock, random, onFailed }),
      sink: session.mirrored,
      values: rawValues,
      ids: this.#ids,
      ...(id !== 0 && { joinedId: id }),
      addresses: this.#networks.rulesOf(name),
      maxBytes: remoteMaxBytes,
      clock,
      random,
      adopted,
      onTransition: (step) => this.#moved(session, step.from, step.to),
      onDropped: (kind, key, { reason, detail }) =>
        log.debug({ [LOG.cluster]: name, kind, [LOG.key]: key, [LOG.reason]: reason, detail }, 'a record of a remote cluster is not taken'),
    });
  }

  #moved(session: Session, from: string, to: string): void {
    const { clock, log } = this.#options;
    const problem = session.connection?.remote.status().problem;
    const fields = { [LOG.cluster]: session.config.name, from, to, ...(problem && { [LOG.error]: problem }) };
    const bad = to === 'degraded' || to === 'failed';
    log[bad ? 'warn' : 'info'](fields, 'the connection to a remote cluster moved on');
    if (!bad) return;
    session.failures++;
    session.lastFailure = clock.wall();
  }

  #disconnect(session: Session): void {
    session.connection?.remote.stop();
    session.connection?.kv.close();
    session.connection = undefined;
  }

  #remove(session: Session): void {
    const { name } = session.config;
    this.#options.log.info({ [LOG.cluster]: name }, 'a remote cluster is not configured any more: its records go');
    const id = session.mirrored.id;
    this.#disconnect(session);
    session.mirrored.forget();
    this.#sessions.delete(name);
    this.#knownIds.delete(name);
    this.#ids.release(id, name);
    this.#networks.delete(name);
  }

  /** The id of a remote tells agents which kernel rows are its: it must not be lost because the remote is away when this process starts. */
  async #readKnownIds(signal: AbortSignal): Promise<void> {
    const { kv, clock, random, log } = this.#options;
    const backoff = new Backoff(RETRY, random);
    const prefix = `${ISTHMUS_CLUSTERS_PREFIX}/`;
    while (!signal.aborted) {
      try {
        for await (const { entries } of kv.list(prefix, { signal }))
          for (const { key, value } of entries) {
            const decoded = decodeConfiguredCluster(value);
            if (decoded.ok) this.#knownIds.set(key.slice(prefix.length), decoded.value.id);
          }
        return;
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ [LOG.error]: error }, 'the configured clusters cannot be read from the mesh etcd');
        await delay(clock, backoff.next(), signal).catch(() => undefined); // rejects only by abort
      }
    }
  }
}
