import { LOCAL_SCOPE, type Store, type TableWriter } from '@isthmus/core';
import {
  type BackendSetRow,
  ENDPOINT_SLICE,
  type EndpointSlice,
  type Resource,
  type ResourceKind,
  type ResourceStore,
  SERVICE,
  type Service,
  type ServiceRow,
} from '@isthmus/model';
import { serviceRow, sliceBackends } from '@isthmus/service';
import type { RecordOwner } from './record-rows.ts';

/** What the source reads with. */
export interface ResourceSourceOptions {
  readonly resources: ResourceStore;
  readonly store: Store;
  readonly owner: RecordOwner;
  readonly onInvalid: (kind: string, key: string, error: unknown) => void;
  readonly onDisconnected: (error: unknown) => void;
}

/** Mirrors services and their endpoint slices into their tables. */
export async function runResourceSource(
  options: ResourceSourceOptions,
  tables: { services: TableWriter<ServiceRow>; localBackends: TableWriter<BackendSetRow> },
  signal: AbortSignal,
): Promise<void> {
  await Promise.all([
    watchInto<Service, ServiceRow>(options, SERVICE, tables.services, serviceRow, signal),
    watchInto<EndpointSlice, BackendSetRow>(
      options,
      ENDPOINT_SLICE,
      tables.localBackends,
      (slice) => sliceBackends(slice, options.owner),
      signal,
    ),
  ]);
}

function watchInto<T extends Resource, V>(
  options: ResourceSourceOptions,
  kind: ResourceKind<T>,
  writer: TableWriter<V>,
  toRow: (object: T) => V | undefined,
  signal: AbortSignal,
): Promise<void> {
  return options.resources.watch(
    kind,
    {
      onBatch: (changes) =>
        options.store.transact(() => {
          for (const { key, object } of changes) {
            const row = object && toRow(object);
            if (row === undefined) writer.delete(key);
            else writer.put(key, row);
          }
        }),
      onSynced: () => writer.synced(LOCAL_SCOPE),
      onDisconnected: options.onDisconnected,
      onInvalid: (key, error) => options.onInvalid(kind.kind, key, error),
    },
    signal,
  );
}
