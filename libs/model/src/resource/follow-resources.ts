import { LOCAL_SCOPE, type Store, type TableWriter } from '@isthmus/core';
import type { Resource, ResourceKind } from './resource.ts';
import type { ResourceStore } from './resource-store.ts';

/** From where to which table. */
export interface FollowOptions<T extends Resource, V> {
  resources: ResourceStore;
  kind: ResourceKind<T>;
  /** Only objects in it; all when undefined. */
  namespace?: string | undefined;
  store: Store;
  /** Written by this source alone; its scope `local` is synced when the first listing is in. */
  writer: TableWriter<V>;
  /** The row of an object, undefined when it has none. Keep it small: the object itself is not kept. */
  rowOf(object: T): V | undefined;
  signal: AbortSignal;
  onDisconnected?(error: unknown): void;
  onRelist?(): void;
  onInvalid?(key: string, error: unknown): void;
}

/** A source: mirrors all objects of a kind into a table, one commit a batch, until the signal aborts. Row keys are `[<namespace>/]<name>`. */
export async function followResources<T extends Resource, V>(options: FollowOptions<T, V>): Promise<void> {
  const { resources, kind, namespace, store, writer, rowOf, signal, onDisconnected, onRelist, onInvalid } = options;
  writer.declare(LOCAL_SCOPE);
  writer.scopesKnown();
  await resources.watch(
    kind,
    {
      onBatch: (changes) =>
        store.transact(() => {
          for (const { key, object } of changes) {
            const row = object && rowOf(object);
            if (row === undefined) writer.delete(key);
            else writer.put(key, row);
          }
        }),
      onSynced: () => writer.synced(LOCAL_SCOPE),
      ...(onDisconnected && { onDisconnected }),
      ...(onRelist && { onRelist }),
      ...(onInvalid && { onInvalid }),
    },
    signal,
    namespace,
  );
}
