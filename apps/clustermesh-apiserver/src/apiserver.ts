import { setMaxListeners } from 'node:events';
import { type Clock, type CodedError, LOG, type Random, Store } from '@isthmus/core';
import type { KvStore } from '@isthmus/kvstore';
import type { ResourceStore } from '@isthmus/model';
import { Exporter } from './export/exporter.ts';
import type { OwnClusterFacts } from './export/own-cluster.ts';
import type { Log } from './log.ts';
import { MeshEtcd } from './mesh-etcd/mesh-etcd.ts';
import type { RemoteConfig, RemoteConfigSource } from './mirror/remote-config.ts';
import { RemoteMirrors } from './mirror/remote-mirrors.ts';
import { UserSetup } from './users/user-setup.ts';

/** What an {@link Apiserver} works with. */
export interface ApiserverOptions {
  own: OwnClusterFacts;
  globalByDefault: boolean;
  leaseSeconds: number;
  heartbeatMs: number;
  remotesTimeoutMs: number;
  remoteMaxBytes: number;
  /** Pod networks of this cluster. */
  podCidrs: readonly string[];
  clusterKv: KvStore;
  resources: ResourceStore;
  meshKv: KvStore;
  /** Undefined where the etcd has no users. */
  setUpMeshUsers: (() => Promise<void>) | undefined;
  /** See {@link setUpMeshUsers}. Gets the names of the nodes that are known. */
  setUpClusterUsers: ((nodes: readonly string[]) => Promise<void>) | undefined;
  configs: RemoteConfigSource;
  connect(config: RemoteConfig): KvStore;
  clock: Clock;
  random: Random;
  yieldToLoop(): Promise<void>;
  log: Log;
  /** Told of rows that could not be written. */
  onWriteFailures(sink: string, count: number): void;
}

/** One cluster's side of the mesh: its records in its mesh etcd for others, and the others' records beside them for its agents. */
export class Apiserver {
  readonly store: Store;
  readonly mesh: MeshEtcd;
  readonly exporter: Exporter;
  readonly mirrors: RemoteMirrors;
  readonly own: OwnClusterFacts;
  readonly #options: ApiserverOptions;
  readonly #users: { readonly mesh: UserSetup; readonly cluster: UserSetup };
  #startedAt: number;

  constructor(options: ApiserverOptions) {
    const { clock, random, log, own, meshKv, leaseSeconds, yieldToLoop, onWriteFailures } = options;
    this.#options = options;
    this.own = own;
    this.#startedAt = clock.now();
    this.store = new Store(clock, {
      onFault: ({ table, key, error }) =>
        log.error({ [LOG.table]: table, [LOG.key]: key, [LOG.error]: error }, 'a row could not be derived; it keeps its last value'),
    });
    const { store } = this;
    const common = { store, clock, random, log };
    this.mesh = new MeshEtcd({ ...common, kv: meshKv, leaseSeconds, yieldToLoop, onFailures: onWriteFailures });
    this.exporter = new Exporter({ ...options, ...common, mesh: this.mesh });
    this.mirrors = new RemoteMirrors({
      ...options,
      ...common,
      kv: meshKv,
      mesh: this.mesh,
      own: { ...own, name: own.cluster, id: own.clusterId },
    });
    this.#users = this.#userSetups();
  }

  /** Runs until the signal aborts. Nothing is removed then. */
  async run(signal: AbortSignal): Promise<void> {
    this.#startedAt = this.#options.clock.now();
    setMaxListeners(0, signal); // each of some twenty sinks listens
    const { mesh: meshUsers, cluster: clusterUsers } = this.#users;
    // A wiped etcd has lost its users too, and obeys anybody until it has them again.
    this.mesh.onReplaced(() => void meshUsers.run(signal));
    this.exporter.onClusterReplaced(() => void clusterUsers.run(signal));
    // The heart must beat while the cluster etcd is away: its users are waited for by nobody.
    const others = clusterUsers.run(signal);
    await meshUsers.run(signal);
    if (!signal.aborted) await Promise.all([this.mesh.run(signal), this.exporter.run(signal), this.mirrors.run(signal)]);
    await others;
  }

  /** What is still missing before the process does all of its work; for remote clusters only for a while after the start. */
  missing(): string[] {
    const users = Object.values(this.#users).flatMap((each) => each.missing ?? []);
    const kinds = this.exporter.missing().map((kind) => `export of ${kind}`);
    const refused = this.problems().map(({ message }) => `mesh etcd (${message})`);
    return [...users, ...kinds, ...refused, ...this.#missingRemotes()];
  }

  /** What is wrong with this cluster's own side of the mesh. */
  problems(): readonly CodedError[] {
    const { writeProblem } = this.mesh;
    return writeProblem === undefined ? [] : [writeProblem];
  }

  #missingRemotes(): string[] {
    const { clock, remotesTimeoutMs } = this.#options;
    if (!this.mirrors.configured) return ['list of remote clusters'];
    if (clock.now() - this.#startedAt > remotesTimeoutMs) return [];
    return this.mirrors.statuses().flatMap(({ name, remote }) => (remote?.ready ? [] : [`mirror of ${name}`]));
  }

  #userSetups(): { mesh: UserSetup; cluster: UserSetup } {
    const { setUpMeshUsers, setUpClusterUsers, clock, random, log } = this.#options;
    const make = (etcd: string, setUp: (() => Promise<void>) | undefined): UserSetup => {
      if (!setUp) log.warn({ etcd }, 'this etcd asks for no certificates: it has no users, and anybody who reaches it may do anything');
      return new UserSetup({ etcd, setUp: setUp ?? (async () => undefined), clock, random, log });
    };
    return {
      mesh: make('mesh etcd', setUpMeshUsers),
      cluster: make('cluster etcd', setUpClusterUsers && (() => setUpClusterUsers(this.exporter.nodes() ?? []))),
    };
  }
}
