import { KeyMap } from './key-map.ts';

/** Keys of rows, in no particular order. */
export interface RowKeys extends Iterable<string> {
  readonly size: number;
  has(key: string): boolean;
}

const NONE: RowKeys = new Set<string>();

/** The keys of one row: most of what is indexed is unique, and a set for each would cost more than the row. */
class OneKey implements RowKeys {
  readonly size = 1;
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  has(key: string): boolean {
    return key === this.#key;
  }

  [Symbol.iterator](): Iterator<string> {
    return [this.#key].values();
  }
}

/** Row keys of a table by a second key. */
export class TableIndex<V> {
  readonly #keysOf: (row: V, key: string) => Iterable<string>;
  /** One row's key as it is, several in a set. */
  readonly #keys = new KeyMap<string | Set<string>>();

  constructor(keysOf: (row: V, key: string) => Iterable<string>) {
    this.#keysOf = keysOf;
  }

  /** Keys of the rows that carry `indexKey`. */
  get(indexKey: string): RowKeys {
    const keys = this.#keys.get(indexKey);
    if (keys === undefined) return NONE;
    return typeof keys === 'string' ? new OneKey(keys) : keys;
  }

  /** Every second key in use. */
  indexKeys(): IterableIterator<string> {
    return this.#keys.keys();
  }

  /** Follows one change of the table. Only the table calls this. */
  apply(key: string, before: V | undefined, row: V | undefined): void {
    if (before !== undefined) for (const at of this.#keysOf(before, key)) this.#remove(at, key);
    if (row !== undefined) for (const at of this.#keysOf(row, key)) this.#add(at, key);
  }

  #add(indexKey: string, key: string): void {
    const keys = this.#keys.get(indexKey);
    if (keys === undefined) this.#keys.set(indexKey, key);
    else if (typeof keys !== 'string') keys.add(key);
    else if (keys !== key) this.#keys.set(indexKey, new Set([keys, key]));
  }

  #remove(indexKey: string, key: string): void {
    const keys = this.#keys.get(indexKey);
    if (keys === key) this.#keys.delete(indexKey);
    if (typeof keys !== 'object' || !keys.delete(key) || keys.size > 1) return;
    for (const last of keys) this.#keys.set(indexKey, last);
  }
}
