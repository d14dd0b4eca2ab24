import type { BackoffOptions } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import { Notifier } from '../notifier.ts';
import type { Random } from '../random.ts';
import { type Change, Feed } from '../table/feed.ts';
import type { Store } from '../table/store.ts';
import type { Table } from '../table/table.ts';
import { FailedRows, type SinkStatus, type SinkTrouble } from './sink-failures.ts';
import type { SinkRow, SinkTarget } from './sink-target.ts';

/** Rows per call of a target: a batch of map updates this size keeps the loop free of stalls above 5 ms. */
const BATCH = 1024;
/** Stands in the status table for the listing of what is there, when that failed. */
const LISTING = '(listing)';
const DEFAULT_BACKOFF: BackoffOptions = { minMs: 100, maxMs: 30_000 };

/** How a sink is made. */
export interface SinkOptions<V> {
  name: string;
  table: Table<V>;
  target: SinkTarget<V>;
  /** A row at revision r is applied when these have tried everything up to r; deletions run in reverse. */
  after?: readonly Sink<never>[] | readonly Sink<unknown>[];
  /**
   * Nothing is applied before this scope of the table is synced. For tables whose rows are made of several sources: half of them would
   * overwrite what an earlier run had right.
   */
  startWhenSynced?: string;
  backoff?: BackoffOptions;
}

/** What a sink needs from its process. */
export interface SinkContext {
  store: Store;
  clock: Clock;
  random: Random;
  /** Called between batches, so that the event loop breathes. */
  yield: () => Promise<void>;
  /** Hears when rows of a sink fail, and when all are well again. */
  report?: ((sink: string, trouble: SinkTrouble) => void) | undefined;
  /** Wakes all sinks when one of them moves on. One per process. */
  progress: Notifier;
}

/**
 * Makes one outside thing equal to one table, and keeps it so: updates in order, failed rows retried alone, deletes after those who depend on
 * it, and whatever no row wants pruned last, scope by scope, once that scope is synced. Stopping it changes nothing outside.
 */
export class Sink<V> {
  readonly name: string;
  readonly table: Table<V>;
  /** Failed rows, for people. */
  readonly status: Table<SinkStatus>;
  readonly #target: SinkTarget<V>;
  readonly #context: SinkContext;
  readonly #failed: FailedRows;
  readonly #after: readonly Sink<unknown>[];
  readonly #startScope: string | undefined;
  #started = false;
  readonly #dependents: Sink<unknown>[] = [];
  /** Keys to delete, with the revision from which on dependents must have let go of them. */
  readonly #deletes = new Map<string, number>();
  #held: readonly Change<V>[] = [];
  /** Everything up to here is done once the held changes are. */
  #heldRevision = 0;
  /** Revision of the newest held change: those who go before must have done that one. */
  #heldNewest = 0;
  #feed: Feed<V>;
  #updated = 0;
  #pruneFrom: number | undefined = 0;
  /** Version of the table's scopes that the last prune knew. */
  #prunedScopes = -1;
  /** Scopes, not synced at the time, of which the last listing showed rows that nobody wanted; undefined: nothing was listed yet. */
  #unclaimed: Set<string> | undefined;
  #redo = false;

  constructor(options: SinkOptions<V>, context: SinkContext) {
    this.name = options.name;
    this.table = options.table;
    this.#target = options.target;
    this.#context = context;
    this.#feed = new Feed(options.table);
    const writer = context.store.table<SinkStatus>(`sink/${options.name}`);
    this.status = writer.table;
    const report = (trouble: SinkTrouble): void => context.report?.(options.name, trouble);
    this.#failed = new FailedRows(writer, context.clock, context.random, options.backoff ?? DEFAULT_BACKOFF, report);
    this.#startScope = options.startWhenSynced;
    this.#after = (options.after ?? []) as readonly Sink<unknown>[];
    for (const sink of this.#after) sink.#dependents.push(this as Sink<unknown>);
  }

  /** Every update up to this revision has been tried. */
  get updatedRevision(): number {
    return this.#redo ? 0 : this.#updated;
  }

  /** Every update, delete and prune up to this revision has been tried. */
  get doneRevision(): number {
    let done = this.updatedRevision;
    if (this.#pruneFrom !== undefined) done = Math.min(done, this.#pruneFrom - 1);
    for (const revision of this.#deletes.values()) done = Math.min(done, revision - 1);
    return done;
  }

  /** Resolves when the outside has what `key` says at `revision` or later; keeps waiting while the row fails. */
  settled(key: string, revision: number, signal?: AbortSignal): Promise<void> {
    return this.#context.progress.until(
      () => this.updatedRevision >= revision && !this.#failed.has(key) && !this.#deletes.has(key),
      signal,
    );
  }

  /** Resolves when everything up to `revision` is done, pruning included, and none of the rows that `concerns` names fails. */
  flushed(revision: number, concerns: (key: string) => boolean, signal?: AbortSignal): Promise<void> {
    const fails = (): boolean => [...this.status.rows()].some(([key]) => concerns(key));
    return this.#context.progress.until(() => this.doneRevision >= revision && !fails(), signal);
  }

  /** The outside is not what it was (wiped, restored from a copy): everything is applied once more, and pruned. */
  redo(): void {
    this.#redo = true;
    this.#context.progress.notify();
  }

  /** Runs until the signal aborts. What is outside stays as it is then. */
  async run(signal: AbortSignal): Promise<void> {
    const wake = new Notifier();
    const stops = [this.#context.store.changed.listen(() => wake.notify()), this.#context.progress.listen(() => wake.notify())];
    signal.addEventListener('abort', () => wake.notify(), { once: true });
    try {
      while (!signal.aborted) {
        // Asked for before the step: what happens during it must not be missed.
        const woken = wake.wait();
        if (await this.step()) continue;
        if (signal.aborted) return;
        await this.#sleep(woken, wake);
      }
    } finally {
      for (const stop of stops) stop();
    }
  }

  /**
   * Does one round of what can be done now.
   * @returns whether anything was done
   */
  async step(): Promise<boolean> {
    this.#started ||= this.#startScope === undefined || this.table.scopes.isSynced(this.#startScope);
    if (!this.#started) return false;
    this.#beginAgain();
    const before = `${this.#updated}/${this.doneRevision}`;
    const retried = await this.#retry();
    const updated = await this.#update();
    const pruned = await this.#prune();
    const deleted = await this.#delete();
    const moved = retried || updated || pruned || deleted || before !== `${this.#updated}/${this.doneRevision}`;
    if (moved) this.#context.progress.notify();
    return moved;
  }

  async #sleep(woken: Promise<void>, wake: Notifier): Promise<void> {
    const at = this.#failed.nextRetryAt();
    const cancel =
      at === undefined ? undefined : this.#context.clock.after(Math.max(1, at - this.#context.clock.now()), () => wake.notify());
    await woken;
    cancel?.();
  }

  #beginAgain(): void {
    if (!this.#redo) return;
    this.#redo = false;
    this.#feed = new Feed(this.table);
    this.#held = [];
    this.#updated = 0;
    this.#pruneFrom = 0;
    this.#unclaimed = undefined;
  }

  async #update(): Promise<boolean> {
    // Before the revision is taken: a scope that became synced at it makes a prune part of that revision's work.
    this.#noticeScopes();
    if (this.#held.length === 0) this.#take();
    if (this.#held.length === 0 || this.#after.some((sink) => sink.updatedRevision < this.#heldNewest)) return false;
    const held = this.#held;
    this.#held = [];
    await this.#apply(held.filter((change) => change.row !== undefined).map((change) => change.key));
    for (const change of held) if (change.row === undefined && !this.table.has(change.key)) this.#wantGone(change.key, change.revision);
    this.#updated = Math.max(this.#updated, this.#heldRevision);
    await this.#context.yield();
    return true;
  }

  #take(): void {
    const revision = this.#context.store.revision;
    const { changes, relist, caughtUp } = this.#feed.next(BATCH);
    if (relist) this.#pruneFrom = Math.min(this.#pruneFrom ?? revision, revision);
    this.#held = changes;
    this.#heldNewest = caughtUp ? revision : (changes.at(-1)?.revision ?? revision);
    // A batch cut short has everything up to the revision before its last change's.
    this.#heldRevision = caughtUp ? revision : this.#heldNewest - 1;
    if (changes.length === 0 && !this.#after.some((sink) => sink.updatedRevision < revision))
      this.#updated = Math.max(this.#updated, revision);
  }

  /**
   * Writes the rows of these keys as they are now; those that are gone meanwhile come as deletes later. A row that changed since those who go
   * before were looked at is left to its own turn.
   * @returns whether anything was written
   */
  async #apply(keys: readonly string[]): Promise<boolean> {
    const allowed = this.#after.reduce((least, sink) => Math.min(least, sink.updatedRevision), Number.POSITIVE_INFINITY);
    const rows: SinkRow<V>[] = [];
    for (const key of keys) {
      const entry = this.table.entry(key);
      if (entry?.row !== undefined && entry.revision <= allowed) rows.push({ key, row: entry.row });
    }
    if (rows.length === 0) return false;
    if (this.#deletes.size > 0) for (const { key } of rows) this.#deletes.delete(key);
    const failures = await this.#call(
      () => this.#target.update(rows),
      rows.map(({ key }) => key),
    );
    if (this.#failed.size > 0 || failures?.size) this.#noteFailures(rows, failures);
    return true;
  }

  /** In one commit: a thousand that fail together are one event for everybody else. */
  #noteFailures(rows: readonly SinkRow<V>[], failures: ReadonlyMap<string, unknown> | undefined): void {
    this.#context.store.transact(() => {
      for (const { key } of rows) {
        if (failures?.has(key)) this.#failed.add(key, 'present', failures.get(key));
        else this.#failed.remove(key);
      }
    });
  }

  async #call(fn: () => ReturnType<SinkTarget<V>['update']>, keys: readonly string[]): Promise<ReadonlyMap<string, unknown> | undefined> {
    try {
      return await fn();
    } catch (error) {
      return new Map(keys.map((key) => [key, error]));
    }
  }

  async #retry(): Promise<boolean> {
    const all = this.#failed.due().slice(0, BATCH);
    if (all.length === 0) return false;
    if (all.includes(LISTING)) this.#failed.remove(LISTING);
    const due = all.filter((key) => key !== LISTING);
    const gone = due.filter((key) => !this.table.has(key));
    const applied = await this.#apply(due.filter((key) => this.table.has(key)));
    await this.#remove(gone);
    // Rows that wait for their turn are no progress: counting them would spin.
    return applied || gone.length > 0 || all.length > due.length;
  }

  /** A deletion that waits already keeps its revision: what waits for it in turn must not be let go. */
  #wantGone(key: string, revision: number): void {
    this.#deletes.set(key, Math.min(revision, this.#deletes.get(key) ?? revision));
  }

  async #delete(): Promise<boolean> {
    if (this.#deletes.size === 0) return false;
    const free = this.#dependentsDone();
    const keys: string[] = [];
    for (const [key, revision] of this.#deletes) if (revision <= free && keys.push(key) >= BATCH) break;
    if (keys.length === 0) return false;
    await this.#remove(keys);
    await this.#context.yield();
    return true;
  }

  #dependentsDone(): number {
    return this.#dependents.reduce((least, sink) => Math.min(least, sink.doneRevision), Number.POSITIVE_INFINITY);
  }

  async #remove(keys: readonly string[]): Promise<void> {
    // A key that has a row again is the updates' business.
    const gone = keys.filter((key) => !this.table.has(key));
    const failures = gone.length === 0 ? undefined : await this.#call(() => this.#target.delete(gone), gone);
    for (const key of keys) {
      this.#deletes.delete(key);
      if (failures?.has(key)) this.#failed.add(key, 'absent', failures.get(key));
      else if (!this.table.has(key)) this.#failed.remove(key);
    }
    this.#failed.hasten(gone.length - (failures?.size ?? 0));
  }

  /** What is of a scope that became synced must be listed only if something of it was there that is not known from the table. */
  #noticeScopes(): void {
    const { version } = this.table.scopes;
    if (version === this.#prunedScopes) return;
    const needed = this.#unclaimed === undefined || [...this.#unclaimed].some((scope) => this.table.scopes.isSynced(scope));
    if (needed) this.#pruneFrom ??= this.#context.store.revision;
    else this.#prunedScopes = version;
  }

  /** Runs when scopes became synced or deletes were missed: last, after everything wanted is in. */
  async #prune(): Promise<boolean> {
    if (this.#pruneFrom === undefined || this.#failed.has(LISTING) || this.#feed.pending || this.#held.length > 0) return false;
    const revision = this.#context.store.revision;
    this.#prunedScopes = this.table.scopes.version;
    try {
      this.#unclaimed = await this.#list(revision);
      this.#pruneFrom = undefined;
    } catch (error) {
      // What is there could not be read: everything stays, and is looked at again later.
      this.#failed.add(LISTING, 'absent', error);
    }
    return true;
  }

  /** Wants gone what no row wants of synced scopes. Answers the other scopes of which there is such a thing. */
  async #list(revision: number): Promise<Set<string>> {
    const unclaimed = new Set<string>();
    for await (const batch of this.#target.entries?.() ?? []) {
      for (const { key, scope } of batch) {
        if (this.table.has(key)) continue;
        if (this.table.scopes.isSynced(scope)) this.#wantGone(key, revision);
        else unclaimed.add(scope);
      }
      await this.#context.yield();
    }
    return unclaimed;
  }
}
