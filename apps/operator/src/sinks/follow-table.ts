import { Feed, type Table } from '@isthmus/core';

/** Reads a table's changes on demand, for whoever keeps an account of it: a pool of what its rows use. */
export class TableFollower<V> {
  readonly #table: Table<V>;
  readonly #feed: Feed<V>;

  constructor(table: Table<V>) {
    this.#table = table;
    this.#feed = new Feed(table);
  }

  /**
   * Hands over every change since the last call; a row that is gone comes as undefined.
   * @param known keys that the account holds; asked for only when deletes were missed
   */
  catchUp(known: () => Iterable<string>, onChange: (key: string, row: V | undefined) => void): void {
    const { changes, relist } = this.#feed.next();
    if (relist) for (const key of [...known()]) if (!this.#table.has(key)) onChange(key, undefined);
    for (const { key, row } of changes) onChange(key, row);
  }
}
