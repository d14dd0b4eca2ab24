import type { Decoded, Dropped } from './decode-result.ts';
import type { RecordLayout } from './keys.ts';
import type { RecordKind } from './record-kind.ts';
import { type ByteBudget, RecordLedger } from './record-ledger.ts';
import type { RecordChange } from './remote-sink.ts';
import type { RemoteChange, RemoteMirror, RemoteMirrorHandlers, RemoteOrigin, RemoteStore } from './remote-store.ts';

/** Deletions in one batch that are believed without asking, unless more than an eighth of all records go at once. */
const FEW_DELETIONS = 32;

/** So many keys a record are looked at; the others cannot all be mistakes. */
const KEYS_PER_RECORD = 2;

/** What an importer needs of its cluster. */
export interface KindHost<T> {
  readonly store: RemoteStore;
  /** Reads one record against the cluster's name, id and key. */
  read(kind: RecordKind, bytes: Uint8Array, name: string): Decoded<T>;
  readonly sink: {
    apply(kind: RecordKind, changes: readonly RecordChange<T>[]): void;
    synced(kind: RecordKind): void;
  };
  dropped(kind: RecordKind, name: string, dropped: Dropped): void;
  /** Bytes that all kinds may have together. */
  readonly budget: ByteBudget;
  /** Nothing is wrong with the cluster: what is deleted now was meant to be. */
  trusted(): boolean;
  /** Something changed that the cluster must look at. */
  changed(): void;
}

/**
 * `closed`: nothing is followed. `listing`: the first listing runs. `unconfirmed`: it is complete, and what it did not show waits for the
 * confirmation that the exporter had written everything. `synced`: complete.
 */
export type KindPhase = 'closed' | 'listing' | 'unconfirmed' | 'synced';

/**
 * Follows one kind of records of one cluster. Additions and changes go to the sink at once. Deletions go at once only when few, told by a
 * watch, and the cluster is trusted; all others are held back until {@link confirm}. A record that comes back cancels its deletion.
 */
export class KindImporter<T> {
  readonly kind: RecordKind;
  readonly #host: KindHost<T>;
  readonly #limit: number;
  /** The records that the sink has. */
  readonly #known: RecordLedger;
  /** Deletions held back. */
  #held = new Set<string>();
  /** Those of them that a confirmation under way is about. */
  #asked: Set<string> | undefined;
  #mirror: RemoteMirror | undefined;
  #phase: KindPhase = 'closed';
  #listing = 0;
  #token = '';
  #distrusted = false;
  #disconnected = false;

  /**
   * @param limit records taken at most
   * @param adopted names that the sink already has, from before this process
   */
  constructor(kind: RecordKind, host: KindHost<T>, limit: number, adopted: Iterable<string>) {
    this.kind = kind;
    this.#host = host;
    this.#limit = limit;
    this.#known = new RecordLedger(host.budget);
    for (const name of adopted) this.#known.seen(name, 0);
  }

  get phase(): KindPhase {
    return this.#phase;
  }

  /** Records that the sink has. */
  get count(): number {
    return this.#known.size;
  }

  /** Deletions held back. */
  get held(): number {
    return this.#held.size + (this.#asked?.size ?? 0);
  }

  /** Followed, but the store cannot be read now. */
  get disconnected(): boolean {
    return this.#disconnected;
  }

  /** The canary that was there when the listing began. */
  get token(): string {
    return this.#token;
  }

  /** It must be opened anew: what it follows may not have been complete. */
  get needsOpening(): boolean {
    return this.#phase === 'closed' || this.#distrusted;
  }

  /** It waits for {@link confirm}. */
  get needsConfirmation(): boolean {
    return (
      this.#asked === undefined &&
      !this.#disconnected &&
      (this.#phase === 'unconfirmed' || (this.#phase === 'synced' && this.#held.size > 0))
    );
  }

  /** Lists from the beginning and follows. What is known stays until the new listing is confirmed without it. */
  open(layout: RecordLayout, token: string): void {
    this.#restart(token);
    this.#phase = 'listing';
    const listing = this.#listing;
    const handlers: RemoteMirrorHandlers = {
      onBatch: (changes, origin) => this.#isCurrent(listing) && this.#take(changes, origin),
      onSynced: () => this.#isCurrent(listing) && this.#onSynced(),
      onDisconnected: () => this.#isCurrent(listing) && this.#onDisconnected(),
    };
    // A restored store shows the canary of its time: it proves nothing about what came after.
    this.#mirror = this.#host.store.mirror(layout.prefix, handlers, { maxKeys: this.#limit * KEYS_PER_RECORD, holdLost: true });
  }

  /** The cluster does not publish this kind: as a complete listing of nothing. */
  openEmpty(token: string): void {
    this.#restart(token);
    this.#holdUnseen();
    this.#phase = 'unconfirmed';
  }

  /** Ends following. What is known stays. */
  close(): void {
    this.#mirror?.close();
    this.#mirror = undefined;
    this.#listing++;
    this.#phase = 'closed';
    this.#distrusted = false;
    this.#disconnected = false;
    this.takeBack();
  }

  /** Forgets everything: the sink has been told to drop it. */
  forget(): void {
    this.close();
    this.#known.clear();
    this.#held.clear();
  }

  /** Says that configuration or canary were missing: only a new listing can tell what is gone. */
  distrust(): void {
    if (this.#phase !== 'closed') this.#distrusted = true;
  }

  /** Begins a confirmation of what is held back now; later deletions wait for the next one. */
  ask(): void {
    this.#asked = this.#held;
    this.#held = new Set();
  }

  /** The confirmation failed: what was asked about is held back again. */
  takeBack(): void {
    if (this.#asked === undefined) return;
    for (const name of this.#asked) this.#held.add(name);
    this.#asked = undefined;
  }

  /** The exporter was complete and is there: what was asked about is gone indeed. Without a question pending it means nothing. */
  confirm(): void {
    if (this.#asked === undefined) return;
    const gone: RecordChange<T>[] = [];
    for (const name of this.#asked) if (this.#known.delete(name)) gone.push({ name, value: undefined });
    this.#asked = undefined;
    if (gone.length > 0) this.#host.sink.apply(this.kind, gone);
    if (this.#phase !== 'unconfirmed') return;
    this.#phase = 'synced';
    this.#host.sink.synced(this.kind);
  }

  #restart(token: string): void {
    this.close();
    this.#token = token;
  }

  #isCurrent(listing: number): boolean {
    return this.#listing === listing && this.#phase !== 'closed';
  }

  #onSynced(): void {
    this.#disconnected = false;
    if (this.#phase === 'listing') {
      this.#holdUnseen();
      this.#phase = 'unconfirmed';
    }
    this.#host.changed();
  }

  #onDisconnected(): void {
    this.#disconnected = true;
    this.#host.changed();
  }

  #holdUnseen(): void {
    for (const name of this.#known.unseenIn(this.#listing)) this.#held.add(name);
  }

  #take(changes: readonly RemoteChange[], origin: RemoteOrigin): void {
    const out: RecordChange<T>[] = [];
    const atOnce = origin === 'watch' && this.#believes(changes);
    for (const { name, value } of changes) {
      if (value !== undefined) this.#put(name, value, out);
      else if (this.#known.has(name)) this.#remove(name, atOnce, out);
    }
    if (out.length > 0) this.#host.sink.apply(this.kind, out);
    if (this.#held.size > 0) this.#host.changed();
  }

  #believes(changes: readonly RemoteChange[]): boolean {
    if (this.#phase !== 'synced' || this.#distrusted || this.#disconnected || !this.#host.trusted()) return false;
    const gone = changes.reduce((count, change) => (change.value === undefined ? count + 1 : count), 0);
    return gone <= Math.max(FEW_DELETIONS, this.#known.size / 8);
  }

  #remove(name: string, atOnce: boolean, out: RecordChange<T>[]): void {
    if (!atOnce) {
      this.#held.add(name);
      return;
    }
    this.#known.delete(name);
    out.push({ name, value: undefined });
  }

  /** A record that fails its checks is dropped; if an earlier version of it was good, that one stays. */
  #put(name: string, bytes: Uint8Array, out: RecordChange<T>[]): void {
    if (this.#held.size > 0) this.#held.delete(name);
    this.#asked?.delete(name);
    if (this.#known.has(name)) this.#known.seen(name, this.#listing);
    const decoded = this.#read(name, bytes);
    if (decoded.ok) out.push({ name, value: decoded.value });
    else this.#host.dropped(this.kind, name, decoded);
  }

  #read(name: string, bytes: Uint8Array): Decoded<T> {
    if (!this.#known.has(name) && this.#known.size >= this.#limit) return TOO_MANY;
    const decoded = this.#host.read(this.kind, bytes, name);
    if (!decoded.ok) return decoded;
    return this.#known.take(name, this.#listing, name.length + bytes.length) ? decoded : TOO_MUCH;
  }
}

const TOO_MANY = { ok: false, reason: 'too-many' } as const;
const TOO_MUCH = { ok: false, reason: 'too-much' } as const;
