import { ChangeLog, type Entry } from './change-log.ts';
import { sameRow } from './same-row.ts';
import type { Scopes } from './scopes.ts';
import { TableIndex } from './table-index.ts';

/** How a table is made. */
export interface TableOptions {
  /** Deletes that slow readers can still see, before they must list again. */
  maxTombstones?: number;
}

const DEFAULT_MAX_TOMBSTONES = 16_384;

/** A change as derivations see it, inside the commit that makes it. */
export interface Applied<V> {
  readonly key: string;
  readonly row: V | undefined;
  readonly before: V | undefined;
}

/**
 * A keyed collection of rows with a revision per row, read by anybody, written by exactly one {@link TableWriter} or derivation. Rows are
 * values: never change one in place.
 */
export class Table<V> {
  readonly name: string;
  /** Which parts of the table are complete; see {@link Scopes}. */
  readonly scopes: Scopes;
  readonly log: ChangeLog<V>;
  readonly #indexes = new Map<string, TableIndex<V>>();

  constructor(name: string, scopes: Scopes, options: TableOptions = {}) {
    this.name = name;
    this.scopes = scopes;
    this.log = new ChangeLog(options.maxTombstones ?? DEFAULT_MAX_TOMBSTONES);
  }

  /** Number of rows. */
  get size(): number {
    return this.log.live;
  }

  get(key: string): V | undefined {
    return this.log.entries.get(key)?.row;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** The revision of the last change of this key, deletes included while they are remembered. */
  revisionOf(key: string): number | undefined {
    return this.log.entries.get(key)?.revision;
  }

  /** Row and revision of a key at once; while deletes are remembered also without a row. */
  entry(key: string): Pick<Entry<V>, 'row' | 'revision'> | undefined {
    return this.log.entries.get(key);
  }

  /** All rows, least recently changed first. Do not commit while iterating. */
  *rows(): IterableIterator<[key: string, row: V]> {
    for (let at: Entry<V> | undefined = this.log.head; at; at = at.next) if (at.row !== undefined) yield [at.key, at.row];
  }

  /** Rows by what `keysOf` says of each: kept up to date from now on. The same name gives the same index. */
  index(name: string, keysOf: (row: V, key: string) => Iterable<string>): TableIndex<V> {
    let index = this.#indexes.get(name);
    if (!index) {
      index = new TableIndex(keysOf);
      for (const [key, row] of this.rows()) index.apply(key, undefined, row);
      this.#indexes.set(name, index);
    }
    return index;
  }

  /**
   * Applies one change at a revision. Only the store calls this.
   * @returns what changed, or undefined when the row was equal already
   */
  apply(key: string, row: V | undefined, revision: number): Applied<V> | undefined {
    const entry = this.log.entries.get(key);
    const before = entry?.row;
    if (before === undefined && row === undefined) return undefined;
    if (before !== undefined && row !== undefined && sameRow(before, row)) return undefined;
    this.log.set(key, row, revision, entry);
    for (const index of this.#indexes.values()) index.apply(key, before, row);
    return { key, row, before };
  }
}
