import type { Entry } from './change-log.ts';
import type { Table } from './table.ts';

/** The latest state of a key; `row` is undefined when it was deleted. */
export interface Change<V> {
  readonly key: string;
  readonly row: V | undefined;
  readonly revision: number;
}

/** What a reader gets at once. */
export interface FeedBatch<V> {
  readonly changes: readonly Change<V>[];
  /** True for the first batch, and again when deletes were missed: rows come from the start; whatever is not listed is gone. */
  readonly relist: boolean;
  /** True when nothing newer was in the table. */
  readonly caughtUp: boolean;
}

/** A reader's place in a table's changes. Coalesces by key; costs nothing while nobody reads. */
export class Feed<V> {
  readonly #table: Table<V>;
  #position = 0;
  #last: Entry<V> | undefined;
  #started = false;
  /** Deletes up to here were forgotten before the present listing began: it does not miss them. */
  #forgiven = 0;

  constructor(table: Table<V>) {
    this.#table = table;
  }

  /** Whether {@link next} would say anything new. */
  get pending(): boolean {
    return !this.#started || this.#position < this.#table.log.seq;
  }

  /** Up to `limit` changes since the last call, oldest first. */
  next(limit = Number.POSITIVE_INFINITY): FeedBatch<V> {
    const log = this.#table.log;
    const relist = !this.#started || log.compacted > Math.max(this.#position, this.#forgiven);
    if (relist) {
      this.#forgiven = log.compacted;
      this.#position = 0;
      this.#last = undefined;
      this.#started = true;
    }
    const changes: Change<V>[] = [];
    let entry = log.after(this.#position, this.#last);
    while (entry && changes.length < limit) {
      changes.push({ key: entry.key, row: entry.row, revision: entry.revision });
      this.#position = entry.seq;
      this.#last = entry;
      entry = entry.next;
    }
    // A list read to its end passes the point of compaction, even when its last rows were forgotten tombstones.
    if (!entry) this.#position = log.seq;
    return { changes, relist, caughtUp: !entry };
  }
}
