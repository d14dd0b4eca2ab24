import { LOCAL_SCOPE } from '@isthmus/core';
import { type EndpointRow, RESERVED_IDENTITY } from '@isthmus/model';
import { type EndpointDependencies, ownerOf } from './endpoint-service.ts';

/** What a restart found. */
export interface RestoredEndpoints {
  restored: EndpointRow[];
  /** Endpoints whose device is gone (the pod ended while the agent was down), or whose ADD did not end. */
  gone: EndpointRow[];
}

type RestoreDependencies = Pick<EndpointDependencies, 'store' | 'endpoints' | 'ids' | 'files' | 'ipam' | 'network'>;

/**
 * Takes over the endpoints of the agent's last run, before anything is derived: same numbers, same addresses, same identities, so that nothing
 * changes for their traffic. Afterwards the table counts as synced, and what no endpoint wants may be pruned.
 * @param onBroken hears of files that say nothing usable; they stay where they are
 */
export function restoreEndpoints(dependencies: RestoreDependencies, onBroken: (file: string, error: unknown) => void): RestoredEndpoints {
  const { store, endpoints, files, network } = dependencies;
  const result: RestoredEndpoints = { restored: [], gone: [] };
  store.transact(() => {
    for (const row of files.load(onBroken)) {
      const link = network.find(row.interfaceName);
      if (!link || row.identity === RESERVED_IDENTITY.unknown) result.gone.push(row);
      else if (adopt(dependencies, { ...row, ifindex: link.index }, onBroken)) result.restored.push({ ...row, ifindex: link.index });
    }
  });
  for (const row of result.gone) forget(dependencies, row, onBroken);
  endpoints.synced(LOCAL_SCOPE);
  return result;
}

/** False when the endpoint contradicts another one: two files name one address. Both cannot be right, and the first one stays. */
function adopt({ ids, ipam, endpoints }: RestoreDependencies, row: EndpointRow, onBroken: (file: string, error: unknown) => void): boolean {
  try {
    ipam.adopt(ownerOf(row), row);
  } catch (error) {
    ipam.release(ownerOf(row));
    onBroken(`endpoint ${row.id}`, error);
    return false;
  }
  ids.seed(ownerOf(row), row.id);
  ids.idOf(ownerOf(row));
  endpoints.put(String(row.id), row);
  return true;
}

/** Its addresses rest like any other's that were given back: others may still know them as this pod's. */
function forget({ ipam, files, network }: RestoreDependencies, row: EndpointRow, onBroken: (file: string, error: unknown) => void): void {
  try {
    ipam.adopt(ownerOf(row), row);
  } catch (error) {
    onBroken(`endpoint ${row.id}`, error);
  }
  ipam.release(ownerOf(row));
  network.remove(row.interfaceName);
  files.remove(row.id);
}
