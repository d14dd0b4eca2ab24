import { type Clock, CodedError, type Random, systemClock, systemRandom } from '@isthmus/core';
import { KV_QUOTA, KV_UNREACHABLE } from '../../kv-errors.ts';
import type { KvEvent, KvMaintenance, KvTxn, KvTxnResult, KvWatchOptions, KvWatchResponse } from '../../kvstore.ts';
import { MemoryKvStore } from '../memory-kvstore.ts';
import { MemoryAuth } from './memory-auth.ts';
import { MemoryHistory, type MemoryWrite } from './memory-history.ts';
import { MemoryLeases } from './memory-leases.ts';
import { checkLimits, conditionsHold, planOps } from './memory-txn.ts';
import { MemoryWatch } from './memory-watch.ts';

interface Watcher {
  watch: MemoryWatch;
  prefix: string;
  prevKv: boolean;
}

/** A copy of a server's keys, for {@link MemoryKvServer.restore}. */
export type MemorySnapshot = MemoryHistory;

/**
 * A key-value server in memory: keys, history, leases, users, and the faults that a real one can have.
 * Any number of stores connect to it, each as one user, as processes do to an etcd.
 */
export class MemoryKvServer implements KvMaintenance {
  readonly clock: Clock;
  readonly random: Random;
  readonly leases: MemoryLeases;
  auth = new MemoryAuth();
  #history = new MemoryHistory();
  #watchers = new Set<Watcher>();
  #clusterNumber = 1;
  #down: string | undefined;
  #full = false;

  constructor(options: { clock?: Clock; random?: Random } = {}) {
    this.clock = options.clock ?? systemClock;
    this.random = options.random ?? systemRandom;
    this.leases = new MemoryLeases(this.clock, (id) => this.#dropLeased(id));
  }

  /** A store that talks to this server as `user`; `root` unless given. */
  connect(options: { user?: string } = {}): MemoryKvStore {
    return new MemoryKvStore(this, options.user ?? 'root');
  }

  get clusterId(): string {
    return String(this.#clusterNumber);
  }

  get revision(): number {
    return this.#history.revision;
  }

  get full(): boolean {
    return this.#full;
  }

  /** Watches that are open now. */
  get watchCount(): number {
    return this.#watchers.size;
  }

  /** Every call and watch fails with `KV_UNREACHABLE` until {@link start}. Leases go on running out. */
  stop(why = 'the server is stopped'): void {
    this.#down = why;
    this.#endWatches();
  }

  /** Ends {@link stop}. */
  start(): void {
    this.#down = undefined;
  }

  /** Forgets everything. With `newCluster` it answers under another cluster id from then on. */
  wipe(options: { newCluster?: boolean } = {}): void {
    this.restore(new MemoryHistory());
    this.auth = new MemoryAuth();
    if (options.newCluster) this.#clusterNumber++;
  }

  /** A copy of all keys and their history. */
  snapshot(): MemorySnapshot {
    return this.#history.clone();
  }

  /** Goes back to a copy. Leases are gone, connections break. */
  restore(snapshot: MemorySnapshot): void {
    this.#history = snapshot.clone();
    this.leases.clear();
    this.#full = false;
    this.#endWatches();
  }

  /** Refuses writes with `KV_QUOTA`, until {@link clearAlarms}. */
  fillUp(): void {
    this.#full = true;
  }

  /** Breaks all connections once. */
  disconnect(): void {
    this.#endWatches();
  }

  async compact(revision: number): Promise<void> {
    this.#history.compact(revision);
  }

  async defragment(): Promise<void> {}

  async clearAlarms(): Promise<void> {
    this.#full = false;
  }

  /** @throws CodedError KV_UNREACHABLE while stopped */
  checkUp(): void {
    if (this.#down !== undefined) throw new CodedError(KV_UNREACHABLE, `memory store: ${this.#down}`, { object: 'memory' });
  }

  /** The keys themselves, for the stores connected here. */
  get history(): MemoryHistory {
    return this.#history;
  }

  /** Runs a transaction. */
  txn(txn: KvTxn): KvTxnResult {
    checkLimits(txn);
    const succeeded = conditionsHold(this.#history, txn.compare);
    const plan = planOps(this.#history, succeeded ? txn.success : (txn.failure ?? []));
    for (const { lease } of plan.writes) this.leases.check(lease ?? '0');
    if (this.#full && plan.writes.some((write) => write.value)) throw new CodedError(KV_QUOTA, 'database space exceeded');
    this.#apply(plan.writes);
    return { succeeded, revision: this.#history.revision, results: plan.results() };
  }

  /** Opens a watch; what already happened is queued at once. */
  watch(prefix: string, options: KvWatchOptions): MemoryWatch {
    const fromRevision = options.fromRevision ?? this.revision + 1;
    const watcher: Watcher = { watch: new MemoryWatch(() => this.#watchers.delete(watcher)), prefix, prevKv: options.prevKv ?? false };
    const past = this.#history.since(prefix, fromRevision);
    watcher.watch.push(this.#response('created', fromRevision - 1, []));
    if (past.length > 0) this.#send(watcher, past);
    this.#watchers.add(watcher);
    return watcher.watch;
  }

  /** Tells all watches how far they are, as etcd does every ten minutes. */
  progress(): void {
    for (const { watch } of this.#watchers) watch.push(this.#response('progress', this.revision, []));
  }

  #apply(writes: readonly MemoryWrite[]): void {
    const events = this.#history.apply(writes);
    for (const watcher of this.#watchers) {
      const seen = events.filter((event) => event.entry.key.startsWith(watcher.prefix));
      if (seen.length > 0) this.#send(watcher, seen);
    }
  }

  #send(watcher: Watcher, events: readonly KvEvent[]): void {
    const shown = watcher.prevKv ? events : events.map(({ type, entry }) => ({ type, entry }));
    watcher.watch.push(this.#response('events', events.at(-1)!.entry.modRevision, shown));
  }

  #response(kind: KvWatchResponse['kind'], revision: number, events: readonly KvEvent[]): KvWatchResponse {
    return { kind, revision, storeRevision: this.revision, clusterId: this.clusterId, events };
  }

  #dropLeased(id: string): void {
    this.#apply(
      this.#history
        .range('')
        .filter((entry) => entry.lease === id)
        .map(({ key }) => ({ key })),
    );
  }

  #endWatches(): void {
    const error = new CodedError(KV_UNREACHABLE, `memory store: ${this.#down ?? 'the connection broke'}`, { object: 'memory' });
    for (const { watch } of this.#watchers) watch.end(error);
    this.#watchers.clear();
  }
}
