import { type Clock, CodedError, LOG, type Random, type Sink, SinkGroup, type SinkOptions, type Store, type Table } from '@isthmus/core';
import { type KvStore, MAX_TXN_OPS, type RelistReason } from '@isthmus/kvstore';
import { HEARTBEAT_KEY, SYNCED_PREFIX } from '@isthmus/mesh';
import type { Log } from '../log.ts';
import { chunks } from './chunks.ts';
import { KvTextTarget } from './kv-text-target.ts';
import type { LeasedKeys } from './leased-keys.ts';
import { MeshEtcdWatch } from './mesh-etcd-watch.ts';
import { MeshLease } from './mesh-lease.ts';
import { RevisionGuard } from './revision-guard.ts';

/** Leased keys are looked at this often even if nothing was heard of them. Milliseconds. */
const REFRESH_MS = 5 * 60_000;

/** What a {@link MeshEtcd} works with. */
export interface MeshEtcdOptions {
  kv: KvStore;
  store: Store;
  leaseSeconds: number;
  clock: Clock;
  random: Random;
  yieldToLoop(): Promise<void>;
  log: Log;
  onFailures(sink: string, count: number): void;
}

/** One table of keys in the mesh etcd. */
export interface MeshKeys {
  name: string;
  table: Table<string>;
  /** See {@link KvTextTarget}. */
  prefix: string;
  listed?: readonly string[];
  scopeOf(rowKey: string): string | undefined;
  after?: readonly Sink<string>[];
  /** Nothing is written before this scope of the table is synced: rows made of several sources would be half known. */
  startWhenSynced?: string;
}

/**
 * The own mesh etcd as tables: whatever happens to it, it ends up saying what the tables say. Leased keys are defended against other
 * writers, and written again under a new lease when theirs is lost; after a wipe everything is written again.
 */
export class MeshEtcd {
  readonly #options: MeshEtcdOptions;
  readonly #group: SinkGroup;
  readonly #lease: MeshLease;
  readonly #guard: RevisionGuard;
  readonly #leased: Sink<string>[] = [];
  readonly #onReplaced: ((reason: RelistReason) => void)[] = [];
  #connected = false;
  #error: unknown;
  #writeProblem: CodedError | undefined;

  constructor(options: MeshEtcdOptions) {
    const { store, clock, random, yieldToLoop, kv, leaseSeconds, log } = options;
    this.#options = options;
    this.#group = new SinkGroup(store, clock, random, yieldToLoop);
    this.#guard = new RevisionGuard(kv, () => this.#replaced('went-back'));
    this.#lease = new MeshLease(this.#guard, leaseSeconds, () => {
      log.warn({}, 'the lease in the mesh etcd is lost: its keys are written again under a new one');
      this.#redoLeased();
    });
  }

  /** True while the mesh etcd can be read. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Why it cannot. */
  get error(): unknown {
    return this.#error;
  }

  /** Why it took nothing when last something was written: it is full, for instance. */
  get writeProblem(): CodedError | undefined {
    return this.#writeProblem;
  }

  /** Declares a table of keys without a lease. */
  add(keys: MeshKeys): Sink<string> {
    return this.#group.add(this.#sinkOptions(keys, undefined));
  }

  /** Declares a table of keys that live on the lease; row keys are whole keys. */
  addLeased(keys: Omit<MeshKeys, 'table' | 'prefix'>): LeasedKeys {
    const writer = this.#options.store.table<string>(keys.name);
    const sink = this.#group.add<string>(this.#sinkOptions({ ...keys, table: writer.table, prefix: '' }, this.#lease));
    this.#leased.push(sink);
    return { writer, sink };
  }

  /** Calls `listener` when the etcd may not hold what was written; from then on nothing counts as written until it is again. */
  onReplaced(listener: (reason: RelistReason) => void): void {
    this.#onReplaced.push(listener);
  }

  /** Keeps the mesh etcd equal to the tables until the signal aborts. Everything stays as it is then. */
  async run(signal: AbortSignal): Promise<void> {
    const cancel = this.#refreshLater();
    const { kv, clock, random } = this.#options;
    const watch = new MeshEtcdWatch({
      kv,
      clock,
      random,
      wanted: (key) => this.#wanted(key),
      onDeviation: () => this.#redoLeased(),
      onReplaced: (reason) => {
        this.#guard.reset();
        this.#replaced(reason);
      },
      onConnected: () => {
        this.#setConnected(true, undefined);
        // A failure is no news: the connection is lost again, and is checked when it is back.
        this.#guard.check(HEARTBEAT_KEY).catch((error: unknown) => this.#setConnected(false, error));
      },
      onDisconnected: (error) => this.#setConnected(false, error),
    });
    try {
      await Promise.all([this.#group.run(signal), watch.run(signal)]);
    } finally {
      cancel();
    }
  }

  #sinkOptions(keys: MeshKeys, lease: MeshLease | undefined): SinkOptions<string> {
    const { onFailures } = this.#options;
    const { name, table, prefix, listed, scopeOf, after, startWhenSynced } = keys;
    const target = new KvTextTarget({
      kv: this.#guard,
      prefix,
      scopeOf,
      ...(listed && { listed }),
      ...(lease && { lease }),
      onFailures: (count, error) => {
        if (error instanceof CodedError) this.#writeProblem = error;
        onFailures(name, count);
      },
      onWritten: () => {
        this.#writeProblem = undefined;
      },
    });
    const waits = startWhenSynced === undefined ? {} : { startWhenSynced };
    return { name, table, target, after: (after ?? []) as unknown as readonly Sink<unknown>[], ...waits };
  }

  #wanted(key: string): string | undefined {
    for (const { table } of this.#leased) if (table.has(key)) return table.get(key);
    return undefined;
  }

  #redoLeased(): void {
    for (const sink of this.#leased) sink.redo();
  }

  #replaced(reason: RelistReason): void {
    this.#options.log.warn(
      { [LOG.reason]: reason },
      'the mesh etcd may not hold what was written: everything is checked and written again',
    );
    if (reason !== 'compacted') this.#takeMarksBack();
    this.#group.redo();
    for (const listener of this.#onReplaced) listener(reason);
  }

  /**
   * A restored copy shows marks over records that it does not have. They go before anything else is written: as deletions of the table they
   * would wait until everything is. A failure is no news: they go then.
   */
  #takeMarksBack(): void {
    const marks = this.#leased.flatMap(({ table }) => [...table.rows()].map(([key]) => key)).filter((key) => key.startsWith(SYNCED_PREFIX));
    const deletions = chunks(marks, (key) => key.length, { items: MAX_TXN_OPS, bytes: Number.POSITIVE_INFINITY });
    for (const keys of deletions) this.#guard.txn({ success: keys.map((key) => ({ type: 'delete', key })) }).catch(() => undefined);
  }

  #setConnected(connected: boolean, error: unknown): void {
    this.#connected = connected;
    this.#error = error;
  }

  #refreshLater(): () => void {
    let cancel = (): void => undefined;
    const next = (): void => {
      cancel = this.#options.clock.after(REFRESH_MS, () => {
        this.#redoLeased();
        next();
      });
    };
    next();
    return () => cancel();
  }
}
