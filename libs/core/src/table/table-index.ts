const NONE: ReadonlySet<string> = new Set();

/** Row keys of a table by a second key. */
export class TableIndex<V> {
  readonly #keysOf: (row: V, key: string) => Iterable<string>;
  readonly #keys = new Map<string, Set<string>>();

  constructor(keysOf: (row: V, key: string) => Iterable<string>) {
    this.#keysOf = keysOf;
  }

  /** Keys of the rows that carry `indexKey`. */
  get(indexKey: string): ReadonlySet<string> {
    return this.#keys.get(indexKey) ?? NONE;
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
    if (keys) keys.add(key);
    else this.#keys.set(indexKey, new Set([key]));
  }

  #remove(indexKey: string, key: string): void {
    const keys = this.#keys.get(indexKey);
    if (!keys?.delete(key) || keys.size > 0) return;
    this.#keys.delete(indexKey);
  }
}
