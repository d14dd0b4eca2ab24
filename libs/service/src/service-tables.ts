import { input, type Store, type Table } from '@isthmus/core';
import { parseL4Key } from '@isthmus/model';
import { declareFrontends, type ServiceInputs } from './frontends.ts';
import type { BackendAddressRow, FrontendRow, RevnatRow } from './rows.ts';

/** What the datapath and people see of services. */
export interface ServiceTables {
  readonly frontends: Table<FrontendRow>;
  readonly backends: Table<BackendAddressRow>;
  readonly revnats: Table<RevnatRow>;
}

/** Declares the tables that follow from services and backends. */
export function declareServiceTables(store: Store, inputs: ServiceInputs): ServiceTables {
  const frontends = declareFrontends(store, inputs);
  return { frontends, backends: declareBackends(store, frontends), revnats: declareRevnats(store, frontends) };
}

/** Every backend that a frontend uses, once. */
function declareBackends(store: Store, frontends: Table<FrontendRow>): Table<BackendAddressRow> {
  const users = frontends.index('backend', (row) => row.backends);
  return store.derive<BackendAddressRow>({
    name: 'backends',
    inputs: [input(frontends, (_key, row, before) => changedBackends(row, before))],
    compute: (key) => {
      const clusterIds = [...users.get(key)].map((user) => clusterOf(frontends.get(user), key));
      return clusterIds.length === 0 ? undefined : { ...parseL4Key(key), clusterId: Math.min(...clusterIds) };
    },
  });
}

/** By bisection: the keys are sorted, and a service may have thousands. */
function clusterOf(row: FrontendRow | undefined, backend: string): number {
  if (!row) return 0;
  let low = 0;
  for (let high = row.backends.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((row.backends[middle] ?? '') < backend) low = middle + 1;
    else high = middle;
  }
  return row.backendClusters[low] ?? 0;
}

/** Backends that came, went, or changed their cluster: of a service with a thousand, one change concerns one. */
function changedBackends(row: FrontendRow | undefined, before: FrontendRow | undefined): string[] {
  const now = clustersByBackend(row);
  const then = clustersByBackend(before);
  const gone = [...then.keys()].filter((key) => !now.has(key));
  return [...gone, ...[...now].filter(([key, clusterId]) => then.get(key) !== clusterId).map(([key]) => key)];
}

function clustersByBackend(row: FrontendRow | undefined): Map<string, number> {
  return new Map(row?.backends.map((key, i) => [key, row.backendClusters[i] ?? 0]));
}

/** One row per frontend, which its backends' changes do not touch. */
function declareRevnats(store: Store, frontends: Table<FrontendRow>): Table<RevnatRow> {
  return store.derive<RevnatRow>({
    name: 'revnats',
    inputs: [input(frontends, (key) => [key])],
    compute: (key) => {
      const row = frontends.get(key);
      return row && { vip: row.vip, port: row.port, protocol: row.protocol };
    },
  });
}
