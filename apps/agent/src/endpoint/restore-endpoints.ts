import { LOCAL_SCOPE } from '@isthmus/core';
import type { EndpointRow } from '@isthmus/model';
import { type EndpointDependencies, ownerOf } from './endpoint-service.ts';

/** What a restart found. */
export interface RestoredEndpoints {
  restored: EndpointRow[];
  /** Endpoints whose device is gone: the pod ended while the agent was down. */
  gone: EndpointRow[];
}

/**
 * Takes over the endpoints of the agent's last run, before anything is derived: same numbers, same addresses, same identities, so that nothing
 * changes for their traffic. Afterwards the table counts as synced, and what no endpoint wants may be pruned.
 */
export function restoreEndpoints(
  { store, endpoints, ids, files, ipam, network }: EndpointDependencies,
  onBroken: (file: string, error: unknown) => void,
): RestoredEndpoints {
  const result: RestoredEndpoints = { restored: [], gone: [] };
  for (const row of files.load(onBroken)) {
    const link = network.find(row.interfaceName);
    if (link) result.restored.push({ ...row, ifindex: link.index });
    else result.gone.push(row);
  }
  store.transact(() => {
    for (const row of result.restored) {
      ids.seed(ownerOf(row), row.id);
      ids.idOf(ownerOf(row));
      ipam.adopt(ownerOf(row), row);
      endpoints.put(String(row.id), row);
    }
  });
  for (const row of result.gone) files.remove(row.id);
  endpoints.synced(LOCAL_SCOPE);
  return result;
}
