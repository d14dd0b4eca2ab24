import type { Store } from './store.ts';
import type { TableWriter } from './table-writer.ts';

/**
 * Declares a table that knows one scope and no other, which is not listed yet. It has nothing to say about other scopes, so it must not
 * hold their pruning up.
 */
export function declareSource<V>(store: Store, name: string, scope: string): TableWriter<V> {
  const writer = store.table<V>(name);
  writer.declare(scope);
  writer.scopesKnown();
  return writer;
}
