import { Backoff, type BackoffOptions, type Clock, CodedError, delay, isCoded, type Random } from '@isthmus/core';
import {
  KV_COMPACTED,
  KV_HANDED_OVER,
  KV_OVERLOADED,
  KV_PERMISSION,
  KV_QUOTA,
  KV_REQUEST,
  KV_REVISION_AHEAD,
  KV_TOO_LARGE,
  KV_TOO_MANY,
} from './kv-errors.ts';
import type { KvPage, KvStore, KvWatchResponse, KvWitness } from './kvstore.ts';
import { isPrintOf, MAX_DELETED_SINCE, type MirrorListing, MirrorMemory } from './mirror-memory.ts';

/** One key as it is now; `value` is undefined when the key is gone. The bytes are a view: decode them, do not keep them. */
export interface MirrorChange {
  key: string;
  /** What the prefix leaves of the key, as a text of its own: whoever keeps it keeps the only copy. */
  name: string;
  value: Uint8Array | undefined;
  /** Revision of the change; of the listing when a key was found gone by listing. */
  revision: number;
}

/** Where a batch comes from: a page of a listing, the keys that a listing found gone, or a watch. */
export type MirrorOrigin = 'list' | 'sweep' | 'watch';

/**
 * Why a mirror lists again. `rewritten`: the store tells another history than was read (it was restored). `unproven`: it does not bear the
 * mark that was left in it (it was wiped, restored from before, or out of reach for more than an hour), or nothing was read to know it by.
 * `too-large`: a watch cannot bring what changed; a listing can, in smaller parts.
 */
export type RelistReason = 'compacted' | 'other-cluster' | 'went-back' | 'rewritten' | 'unproven' | 'too-large';

/** What to mirror, and who hears of it. Callbacks run one at a time; what they throw ends the mirror. */
export interface MirrorOptions {
  prefix: string;
  clock: Clock;
  random: Random;
  /** Ends the mirror; what was delivered stays where it is. */
  signal: AbortSignal;
  /**
   * Changes in order: at most 2,000 entries of a listing, all keys that a listing found gone (after its last page), or one watch
   * response. `revision`: with this batch everything up to it has been delivered, except for `list`, where the sweep completes it.
   * A returned promise is waited for.
   */
  onBatch(changes: readonly MirrorChange[], revision: number, origin: MirrorOrigin): void | Promise<void>;
  /** The mirror is complete up to `revision` and connected: after every listing, and after every reconnection that needed none. */
  onSynced?(revision: number): void;
  /** The store cannot be read now; called for each failed attempt. What was delivered stays valid, only its age grows. */
  onDisconnected?(error: unknown): void;
  /** The next thing is a full listing; deletes come only after it. */
  onRelist?(reason: RelistReason): void;
  /** Entries a page of the listing; the store chooses unless given. Batches have at most 2,000 either way. */
  pageSize?: number;
  /**
   * Keys that are followed at most; more are a `KV_TOO_MANY`, as if the store could not be read, until there are fewer. Any number unless given.
   */
  maxKeys?: number;
  /** Delay between attempts; 250 ms to 15 s unless given. */
  backoff?: BackoffOptions;
}

const MAX_BATCH = 2_000; // design §1: at most 2,000 rows of a listing a batch
const WITNESS_MS = 10 * 60_000; // how often the mark is asked about while all is well, so that it does not fade
const UNMARKABLE = [KV_OVERLOADED, KV_PERMISSION, KV_QUOTA, KV_REQUEST];
const BACKOFF: BackoffOptions = { minMs: 250, maxMs: 15_000 };

/**
 * Follows all keys under a prefix for ever: lists, watches from there, and comes back by itself after whatever happens to the store.
 * Resolves when the signal aborts; rejects only with what a callback threw.
 */
export async function mirrorPrefix(kv: KvStore, options: MirrorOptions): Promise<void> {
  await new Mirror(kv, options).run();
}

/** Thrown inside the mirror: what was read before no longer tells where to go on. */
class RelistNeeded extends Error {
  readonly reason: RelistReason;

  constructor(reason: RelistReason) {
    super(reason);
    this.reason = reason;
  }
}

/** Carries what a callback threw past the retries. */
class CallbackFailed extends Error {}

/** Where the mirror stands: everything up to `revision` of this cluster has been delivered. */
interface Position {
  revision: number;
  clusterId: string;
}

class Mirror {
  readonly #kv: KvStore;
  readonly #options: MirrorOptions;
  readonly #backoff: Backoff;
  readonly #memory: MirrorMemory;
  #position: Position | undefined;
  #lastReason: RelistReason | undefined;
  #witness: KvWitness | undefined;
  #witnessedAt = 0;

  constructor(kv: KvStore, options: MirrorOptions) {
    this.#kv = kv;
    this.#options = options;
    this.#memory = new MirrorMemory(options.prefix);
    this.#backoff = new Backoff(options.backoff ?? BACKOFF, options.random);
  }

  async run(): Promise<void> {
    try {
      while (!this.#options.signal.aborted) await this.#attempt();
    } catch (error) {
      throw error instanceof CallbackFailed ? error.cause : error;
    }
  }

  async #attempt(): Promise<void> {
    const { signal, prefix } = this.#options;
    try {
      const listedNow = !this.#position;
      if (listedNow) {
        await this.#leaveMark(); // before anything is read, so that what is read stands or falls with it
        await this.#list();
      }
      await this.#follow(listedNow);
      if (!signal.aborted) throw new Error(`the watch of ${prefix} ended without a reason`);
    } catch (error) {
      if (error instanceof CallbackFailed) throw error;
      if (!signal.aborted) await this.#recover(error);
    }
  }

  /** Lists again at once when that is the cure, unless it was tried just now; waits for anything else. */
  async #recover(error: unknown): Promise<void> {
    if (isCoded(error, KV_HANDED_OVER)) return; // another connection is there already
    const reason = this.#relistReason(error);
    const again = reason !== undefined && this.#lastReason === reason;
    if (reason) this.#forgetPosition(reason);
    else this.#call(() => this.#options.onDisconnected?.(error));
    if (reason && !again) return;
    await delay(this.#options.clock, this.#backoff.next(), this.#options.signal).catch(() => undefined); // rejects only by abort
  }

  #relistReason(error: unknown): RelistReason | undefined {
    // A listing that meets it has tried everything.
    if (isCoded(error, KV_TOO_LARGE)) return this.#position && 'too-large';
    return relistReason(error);
  }

  #forgetPosition(reason: RelistReason): void {
    this.#position = undefined;
    this.#lastReason = reason;
    this.#call(() => this.#options.onRelist?.(reason));
  }

  async #list(): Promise<void> {
    const listing = this.#memory.listing();
    let finished: Position;
    try {
      finished = await this.#listPages(listing);
    } catch (error) {
      listing.abandon();
      throw error;
    }
    const { revision } = finished;
    const gone = listing.finish().map((name) => ({ key: this.#options.prefix + name, name, value: undefined, revision }));
    if (gone.length > 0) await this.#emit(gone, revision, 'sweep');
    this.#position = finished;
  }

  async #listPages(listing: MirrorListing): Promise<Position> {
    const { prefix, signal } = this.#options;
    const { pageSize } = this.#options;
    let last: KvPage | undefined;
    for await (const page of this.#kv.list(prefix, { signal, ...(pageSize && { pageSize }) })) {
      last = page;
      await this.#takePage(listing, page);
    }
    if (!last) throw new Error(`the listing of ${prefix} had no page`);
    return { revision: last.revision, clusterId: last.clusterId };
  }

  async #takePage(listing: MirrorListing, { entries, revision }: KvPage): Promise<void> {
    const { clock, signal } = this.#options;
    this.#checkNumber(listing.size + entries.length);
    for (let from = 0; from < entries.length; from += MAX_BATCH) {
      if (from > 0) await delay(clock, 0, signal); // gives the loop a turn
      const changed = listing.take(entries.slice(from, from + MAX_BATCH));
      const batch = changed.map(({ name, entry }) => ({ key: entry.key, name, value: entry.value, revision: entry.modRevision }));
      if (batch.length > 0) await this.#emit(batch, revision, 'list');
    }
  }

  /** A store that somebody else owns must not decide how much is remembered of it here. */
  #checkNumber(keys: number): void {
    const { maxKeys, prefix } = this.#options;
    if (maxKeys === undefined || keys <= maxKeys) return;
    throw new CodedError(KV_TOO_MANY, `there are more than ${maxKeys} keys under ${prefix}`, { object: prefix });
  }

  /** A store that will not be marked (no space, no right) is one that must be listed after every interruption. */
  async #leaveMark(): Promise<void> {
    this.#witness = undefined;
    this.#witnessedAt = this.#options.clock.now();
    try {
      this.#witness = await this.#kv.witness({ signal: this.#options.signal });
    } catch (error) {
      if (!UNMARKABLE.some((kind) => isCoded(error, kind))) throw error;
    }
  }

  /**
   * Watches until that fails. Right after a listing it goes on from there. After an interruption it starts at the last put it saw, not
   * behind it: only a store that still tells of that put in the same words has the history that was read.
   */
  async #follow(listedNow: boolean): Promise<void> {
    const { prefix, signal } = this.#options;
    const position = this.#position!;
    const tail = this.#memory.tail;
    if (!listedNow && (!tail || !this.#witness)) throw new RelistNeeded('unproven');
    const fromRevision = listedNow ? position.revision + 1 : tail!.revision;
    const verifyUpTo = listedNow ? 0 : position.revision;
    for await (const response of this.#kv.watch(prefix, { fromRevision, signal })) {
      checkStore(response, this.#position!);
      if (response.kind === 'created') await this.#created(listedNow);
      else await this.#advance(response, verifyUpTo);
    }
  }

  async #created(listedNow: boolean): Promise<void> {
    if (this.#witness && !(await this.#witness.stands({ signal: this.#options.signal }))) throw new RelistNeeded('unproven');
    if (!listedNow) await this.#verifyTail();
    this.#backoff.reset();
    this.#lastReason = undefined;
    this.#call(() => this.#options.onSynced?.(this.#position!.revision));
  }

  /** The watch cannot tell that the last put or a deletion after it is missing: it would wait for ever. So the store is asked. */
  async #verifyTail(): Promise<void> {
    const { key, revision, print, deletedSince } = this.#memory.tail!;
    const { signal } = this.#options;
    if (deletedSince.length > MAX_DELETED_SINCE) throw new RelistNeeded('unproven');
    const last = await this.#kv.get(key, { revision, signal });
    if (!isPrintOf(print, last)) throw new RelistNeeded('rewritten');
    const upTo = this.#position!.revision;
    const gone = await Promise.all(deletedSince.map((deleted) => this.#kv.get(deleted, { revision: upTo, signal })));
    if (gone.some((entry) => entry !== undefined)) throw new RelistNeeded('rewritten');
  }

  /** Keeps the mark from fading. What it finds does not matter now: the next interruption asks again. */
  #refreshWitness(): void {
    const now = this.#options.clock.now();
    if (!this.#witness || now - this.#witnessedAt < WITNESS_MS) return;
    this.#witnessedAt = now;
    this.#witness.stands({ signal: this.#options.signal }).catch(() => undefined);
  }

  async #advance(response: KvWatchResponse, verifyUpTo: number): Promise<void> {
    this.#refreshWitness();
    const seen = response.events.filter((event) => event.entry.modRevision <= verifyUpTo);
    if (!this.#memory.agrees(seen)) throw new RelistNeeded('rewritten');
    const fresh = seen.length === 0 ? response.events : response.events.slice(seen.length);
    const changes: MirrorChange[] = [];
    for (const event of fresh) {
      const { key, value, modRevision: revision } = event.entry;
      const name = this.#memory.apply(event);
      if (name !== undefined) changes.push({ key, name, value: event.type === 'put' ? value : undefined, revision });
    }
    const revision = Math.max(this.#position!.revision, response.revision);
    if (changes.length > 0) await this.#emit(changes, revision, 'watch');
    this.#checkNumber(this.#memory.size);
    this.#position = { ...this.#position!, revision };
  }

  async #emit(changes: readonly MirrorChange[], revision: number, origin: MirrorOrigin): Promise<void> {
    if (this.#options.signal.aborted) return;
    try {
      await this.#options.onBatch(changes, revision, origin);
    } catch (cause) {
      throw new CallbackFailed('onBatch failed', { cause });
    }
  }

  #call(fn: () => void): void {
    try {
      fn();
    } catch (cause) {
      throw new CallbackFailed('a callback failed', { cause });
    }
  }
}

/** @throws RelistNeeded when the response cannot come from the store that was read before */
function checkStore(response: KvWatchResponse, position: Position): void {
  if (response.clusterId !== position.clusterId) throw new RelistNeeded('other-cluster');
  if (response.storeRevision < position.revision) throw new RelistNeeded('went-back');
}

function relistReason(error: unknown): RelistReason | undefined {
  if (error instanceof RelistNeeded) return error.reason;
  if (isCoded(error, KV_COMPACTED)) return 'compacted';
  if (isCoded(error, KV_REVISION_AHEAD)) return 'went-back';
  return undefined;
}
