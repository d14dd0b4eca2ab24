import { LOCAL_SCOPE, type Store, type TableWriter } from '@isthmus/core';
import type { Resource, ResourceKind } from './resource.ts';
import type { ResourcePart, ResourceStore } from './resource-store.ts';

/** From where to which table. */
export interface FollowSource<T extends Resource, V> {
  resources: Pick<ResourceStore, 'watch'>;
  kind: ResourceKind<T>;
  /** Only these objects; all when undefined. */
  part?: ResourcePart | undefined;
  store: Store;
  /** Written by this source alone; its scope `local` is synced when the first listing is in. */
  writer: TableWriter<V>;
  signal: AbortSignal;
  onDisconnected?(error: unknown): void;
  onRelist?(): void;
  onInvalid?(key: string, error: unknown): void;
}

/** The same for kinds whose objects are one row each. */
export interface FollowOptions<T extends Resource, V> extends FollowSource<T, V> {
  /** The row of an object, undefined when it has none. Keep it small: the object itself is not kept. */
  rowOf(object: T): V | undefined;
}

/** The same for kinds whose objects are any number of rows. */
export interface FollowRowsOptions<T extends Resource, V> extends FollowSource<T, V> {
  /** Keys must differ between objects. */
  rowsOf(object: T): Iterable<readonly [key: string, row: V]>;
}

/** A source: mirrors all objects of a kind into a table, one commit a batch, until the signal aborts. Row keys are `[<namespace>/]<name>`. */
export function followResources<T extends Resource, V>(options: FollowOptions<T, V>): Promise<void> {
  const { writer, rowOf } = options;
  return follow(options, (key, object) => {
    const row = object && rowOf(object);
    if (row === undefined) writer.delete(key);
    else writer.put(key, row);
  });
}

/** The same, rows under keys of their own. */
export function followRows<T extends Resource, V>(options: FollowRowsOptions<T, V>): Promise<void> {
  const { writer, rowsOf } = options;
  const keysOf = new Map<string, readonly string[]>();
  return follow(options, (key, object) => {
    const rows = object ? [...rowsOf(object)] : [];
    for (const old of keysOf.get(key) ?? []) if (!rows.some(([now]) => now === old)) writer.delete(old);
    for (const [now, row] of rows) writer.put(now, row);
    if (object)
      keysOf.set(
        key,
        rows.map(([now]) => now),
      );
    else keysOf.delete(key);
  });
}

async function follow<T extends Resource, V>(
  { resources, kind, part, store, writer, signal, onDisconnected, onRelist, onInvalid }: FollowSource<T, V>,
  apply: (key: string, object: T | undefined) => void,
): Promise<void> {
  writer.declare(LOCAL_SCOPE);
  writer.scopesKnown();
  await resources.watch(
    kind,
    {
      onBatch: (changes) =>
        store.transact(() => {
          for (const { key, object } of changes) apply(key, object);
        }),
      onSynced: () => writer.synced(LOCAL_SCOPE),
      ...(onDisconnected && { onDisconnected }),
      ...(onRelist && { onRelist }),
      ...(onInvalid && { onInvalid }),
    },
    signal,
    part,
  );
}
