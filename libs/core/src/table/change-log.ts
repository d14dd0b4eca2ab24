import { KeyMap } from './key-map.ts';

/** One key's latest state in a table: its row, or a tombstone (`row` undefined) for as long as the delete log keeps it. */
export interface Entry<V> {
  readonly key: string;
  row: V | undefined;
  /** Store revision of the last change. */
  revision: number;
  /** Position in the change log: grows with each change of any key, unique within the table. */
  seq: number;
  prev: Entry<V> | undefined;
  next: Entry<V> | undefined;
}

/**
 * Entries in order of their last change: a doubly linked list where a change moves its entry to the end. A reader that remembers a position
 * sees the latest value of each key changed since, once; nothing is queued for it. Tombstones beyond `maxTombstones` are forgotten, oldest
 * first; a reader from before that point must list again.
 */
export class ChangeLog<V> {
  readonly entries = new KeyMap<Entry<V>>();
  #head: Entry<V> | undefined;
  #tail: Entry<V> | undefined;
  #seq = 0;
  #compacted = 0;
  #live = 0;
  #tombstones: { entry: Entry<V>; seq: number }[] = [];
  readonly #maxTombstones: number;

  constructor(maxTombstones: number) {
    this.#maxTombstones = maxTombstones;
  }

  /** Number of rows, tombstones not counted. */
  get live(): number {
    return this.#live;
  }

  /** Position of the newest change. */
  get seq(): number {
    return this.#seq;
  }

  /** Readers whose position is below this have missed a delete. */
  get compacted(): number {
    return this.#compacted;
  }

  get head(): Entry<V> | undefined {
    return this.#head;
  }

  /** @param entry the key's entry, where there is one */
  set(key: string, row: V | undefined, revision: number, entry = this.entries.get(key)): void {
    const before = entry?.row;
    if (entry) this.#unlink(entry);
    else {
      entry = { key, row, revision, seq: 0, prev: undefined, next: undefined };
      this.entries.set(key, entry);
    }
    entry.row = row;
    entry.revision = revision;
    this.#append(entry);
    this.#live += (row === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
    if (row === undefined) this.#tombstones.push({ entry, seq: entry.seq });
  }

  /** Forgets tombstones beyond the bound. Called after derivations have run, so that they never miss a delete. */
  trim(): void {
    let excess = this.#tombstones.length - this.#maxTombstones;
    if (excess <= 0) return;
    // Drop in blocks, so that a steady stream of deletes does not shift the array each time.
    excess = Math.max(excess, this.#maxTombstones >> 2);
    for (const { entry, seq } of this.#tombstones.splice(0, excess)) {
      if (entry.seq !== seq || entry.row !== undefined) continue;
      this.#unlink(entry);
      this.entries.delete(entry.key);
      this.#compacted = Math.max(this.#compacted, seq);
    }
  }

  /** The oldest entry changed after `position`; `hint` is the entry last read, if it has not moved since. */
  after(position: number, hint: Entry<V> | undefined): Entry<V> | undefined {
    if (position >= this.#seq) return undefined;
    if (hint && hint.seq === position && this.entries.get(hint.key) === hint) return hint.next;
    if (position === 0) return this.#head;
    let at = this.#tail;
    while (at?.prev && at.prev.seq > position) at = at.prev;
    return at && at.seq > position ? at : undefined;
  }

  #append(entry: Entry<V>): void {
    entry.seq = ++this.#seq;
    entry.prev = this.#tail;
    entry.next = undefined;
    if (this.#tail) this.#tail.next = entry;
    else this.#head = entry;
    this.#tail = entry;
  }

  #unlink(entry: Entry<V>): void {
    if (entry.prev) entry.prev.next = entry.next;
    else this.#head = entry.next;
    if (entry.next) entry.next.prev = entry.prev;
    else this.#tail = entry.prev;
    entry.prev = undefined;
    entry.next = undefined;
  }
}
