import type { Store, TableWriter } from '@isthmus/core';
import { type BackendSetRow, ENDPOINT_SLICE, followResources, type ResourceStore, SERVICE, type ServiceRow } from '@isthmus/model';
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
  { resources, store, owner, onInvalid, onDisconnected }: ResourceSourceOptions,
  tables: { services: TableWriter<ServiceRow>; localBackends: TableWriter<BackendSetRow> },
  signal: AbortSignal,
): Promise<void> {
  const common = { resources, store, signal, onDisconnected };
  const invalid = (kind: { readonly kind: string }) => (key: string, error: unknown) => onInvalid(kind.kind, key, error);
  await Promise.all([
    followResources({ ...common, kind: SERVICE, writer: tables.services, rowOf: serviceRow, onInvalid: invalid(SERVICE) }),
    followResources({
      ...common,
      kind: ENDPOINT_SLICE,
      writer: tables.localBackends,
      rowOf: (slice) => sliceBackends(slice, owner),
      onInvalid: invalid(ENDPOINT_SLICE),
    }),
  ]);
}
