import { LOCAL_SCOPE, type Store, type Table, type TableWriter } from '@isthmus/core';
import {
  backendKeyOf,
  clusterScope,
  decodeBackendValue,
  decodeId,
  decodeServiceKey,
  decodeServiceValue,
  l4KeyOf,
  type RowMap,
  textOfAddrKey,
} from '@isthmus/datapath';
import type { BackendSetRow } from '@isthmus/model';
import type { AdoptedBackendsRow } from '@isthmus/service';

/**
 * Remote backends that the kernel holds from an earlier run. They count until their cluster has been listed: a restart, or a mesh etcd that
 * does not answer, takes no backend away.
 */
export class AdoptedBackends {
  readonly #writer: TableWriter<AdoptedBackendsRow>;
  readonly #store: Store;
  readonly #ownClusterId: number;

  constructor(store: Store, writer: TableWriter<AdoptedBackendsRow>, ownClusterId: number) {
    this.#store = store;
    this.#writer = writer;
    this.#ownClusterId = ownClusterId;
    writer.synced(LOCAL_SCOPE);
    writer.scopesKnown();
  }

  /** Reads the pinned maps. Call it before anything writes to them. */
  adopt(services: Pick<RowMap, 'entries'>, backends: Pick<RowMap, 'entries'>): void {
    const remote = new Map<number, { key: string; clusterId: number }>();
    for (const [id, value] of backends.entries()) {
      const { cluster } = decodeBackendValue(value);
      if (cluster !== 0 && cluster !== this.#ownClusterId) remote.set(decodeId(id), { key: backendKeyOf(value), clusterId: cluster });
    }
    const byFrontend = new Map<string, { key: string; clusterId: number }[]>();
    for (const [key, value] of services.entries()) {
      const { addr, port, protocol, slot } = decodeServiceKey(key);
      const backend = slot === 0 ? undefined : remote.get(decodeServiceValue(value).backend);
      if (!backend) continue;
      const frontend = l4KeyOf(textOfAddrKey(addr), port, protocol);
      byFrontend.set(frontend, [...(byFrontend.get(frontend) ?? []), backend]);
    }
    this.#store.transact(() => {
      for (const [frontend, list] of byFrontend) this.#writer.put(frontend, { backends: list });
    });
  }

  /** Lets go of each cluster as soon as its backends are listed. @returns how to stop */
  releaseWith(remoteBackends: Table<BackendSetRow>): () => void {
    const release = (): void => {
      const changes: [string, AdoptedBackendsRow][] = [];
      for (const [frontend, row] of this.#writer.table.rows()) {
        const backends = row.backends.filter((each) => !remoteBackends.scopes.isSynced(clusterScope(each.clusterId, this.#ownClusterId)));
        if (backends.length < row.backends.length) changes.push([frontend, { backends }]);
      }
      this.#store.transact(() => {
        for (const [frontend, row] of changes) {
          if (row.backends.length > 0) this.#writer.put(frontend, row);
          else this.#writer.delete(frontend);
        }
      });
    };
    return this.#store.changed.listen(release);
  }
}
