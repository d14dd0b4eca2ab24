import type { SourceScopes } from './scopes.ts';
import type { Store } from './store.ts';
import type { Table } from './table.ts';

/** The only one who may write a table. `Store.table` hands out exactly one. */
export class TableWriter<V> {
  readonly table: Table<V>;
  readonly #store: Store;
  readonly #scopes: SourceScopes;

  constructor(store: Store, table: Table<V>, scopes: SourceScopes) {
    this.#store = store;
    this.table = table;
    this.#scopes = scopes;
  }

  /** Puts a row; an equal row is no change. Alone it is one commit; inside {@link Store.transact} it is part of that one. */
  put(key: string, row: V): void {
    this.#store.write(this.table, key, row);
  }

  /** Deletes a row; an absent one is no change. */
  delete(key: string): void {
    this.#store.write(this.table, key, undefined);
  }

  /** Says that a scope exists and that its first full listing is not in yet. Nothing of it is pruned until {@link synced}. */
  declare(scope: string): void {
    if (this.#scopes.set(scope, false)) this.#store.scopesChanged();
  }

  /** Says that everything of a scope is in the table. */
  synced(scope: string): void {
    if (this.#scopes.set(scope, true)) this.#store.scopesChanged();
  }

  /** Says that a scope is gone from configuration. Delete its rows first. */
  forget(scope: string): void {
    if (this.#scopes.forget(scope)) this.#store.scopesChanged();
  }

  /** Says that every scope there is has been declared: what carries any other is nobody's. */
  scopesKnown(): void {
    if (this.#scopes.setKnown()) this.#store.scopesChanged();
  }
}
