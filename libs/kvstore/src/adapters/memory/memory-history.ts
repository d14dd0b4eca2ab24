import { CodedError } from '@isthmus/core';
import { KV_COMPACTED, KV_REVISION_AHEAD } from '../../kv-errors.ts';
import type { KvEntry, KvEvent } from '../../kvstore.ts';

const EMPTY = new Uint8Array(0);

/** One wanted write; without a value it deletes. */
export interface MemoryWrite {
  key: string;
  value?: Uint8Array;
  lease?: string;
}

/** The keys of a store with their history: what etcd calls MVCC, as simply as it can be said. */
export class MemoryHistory {
  #current = new Map<string, KvEntry>();
  #log: KvEvent[] = [];
  #revision = 1;
  #compacted = 0;
  #witnesses = new Set<symbol>();

  get revision(): number {
    return this.#revision;
  }

  /** Leaves a mark that later copies have and nothing else has. */
  mark(): symbol {
    const mark = Symbol('witness');
    this.#witnesses.add(mark);
    return mark;
  }

  /** True when the mark was left here, or in what this is a copy of. */
  bears(mark: symbol): boolean {
    return this.#witnesses.has(mark);
  }

  /** A copy that shares nothing that changes. */
  clone(): MemoryHistory {
    const copy = new MemoryHistory();
    copy.#current = new Map(this.#current);
    copy.#log = [...this.#log];
    copy.#revision = this.#revision;
    copy.#compacted = this.#compacted;
    copy.#witnesses = new Set(this.#witnesses);
    return copy;
  }

  /** The key at a revision, the newest unless given. */
  at(key: string, revision = this.#revision): KvEntry | undefined {
    this.check(revision);
    const later = this.#log.find((event) => event.entry.modRevision > revision && event.entry.key === key);
    return later ? later.prev : this.#current.get(key);
  }

  /** All keys with a prefix, in the order of their bytes. */
  range(prefix: string): KvEntry[] {
    const found = [...this.#current.values()].filter((entry) => entry.key.startsWith(prefix));
    return found.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }

  /** Applies writes as one revision. Returns the events, none when nothing changed; the revision then stays. */
  apply(writes: readonly MemoryWrite[]): KvEvent[] {
    const revision = this.#revision + 1;
    const events = writes.map((write) => this.#write(write, revision)).filter((event) => event !== undefined);
    if (events.length > 0) this.#revision = revision;
    this.#log.push(...events);
    return events;
  }

  /** Events from `fromRevision` on. */
  since(prefix: string, fromRevision: number): KvEvent[] {
    if (fromRevision <= this.#compacted) throw compacted(fromRevision, this.#compacted);
    return this.#log.filter((event) => event.entry.modRevision >= fromRevision && event.entry.key.startsWith(prefix));
  }

  /** Forgets what happened up to `revision`. */
  compact(revision: number): void {
    if (revision > this.#revision) throw ahead(revision, this.#revision);
    this.#compacted = Math.max(this.#compacted, revision);
    this.#log = this.#log.filter((event) => event.entry.modRevision > this.#compacted);
  }

  /** @throws CodedError KV_COMPACTED or KV_REVISION_AHEAD when this revision cannot be read */
  check(revision: number): void {
    if (revision < this.#compacted) throw compacted(revision, this.#compacted);
    if (revision > this.#revision) throw ahead(revision, this.#revision);
  }

  #write({ key, value, lease }: MemoryWrite, revision: number): KvEvent | undefined {
    const before = this.#current.get(key);
    if (value) {
      const createRevision = before?.createRevision ?? revision;
      const entry = { key, value, createRevision, modRevision: revision, version: (before?.version ?? 0) + 1, lease: lease ?? '0' };
      this.#current.set(key, entry);
      return { type: 'put', entry, ...(before && { prev: before }) };
    }
    if (!before) return undefined;
    this.#current.delete(key);
    const entry = { key, value: EMPTY, createRevision: 0, modRevision: revision, version: 0, lease: '0' };
    return { type: 'delete', entry, prev: before };
  }
}

function compacted(revision: number, at: number): CodedError {
  return new CodedError(KV_COMPACTED, `revision ${revision} is compacted away (compacted up to ${at})`);
}

function ahead(revision: number, at: number): CodedError {
  return new CodedError(KV_REVISION_AHEAD, `revision ${revision} is ahead of the store, which is at ${at}`);
}
