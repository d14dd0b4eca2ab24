import { type FoundEntry, LOCAL_SCOPE, messageOf, type SinkFailures, type SinkRow, type SinkTarget } from '@isthmus/core';
import { POD, type Pod, type ResourceStore } from '@isthmus/model';
import type { PodStatusRow } from './published-rows.ts';

/** Writes pods' addresses into their status, and takes away those of pods that this node has no more. */
export class PodStatusSink implements SinkTarget<PodStatusRow> {
  readonly #resources: ResourceStore;
  readonly #hostIp: string;

  /** @param hostIp marks the statuses that this node has written */
  constructor(resources: ResourceStore, hostIp: string) {
    this.#resources = resources;
    this.#hostIp = hostIp;
  }

  update(rows: readonly SinkRow<PodStatusRow>[]): Promise<SinkFailures> {
    return this.#each(rows, ({ key, row }) =>
      this.#change(key, (pod) => {
        const podIPs = row.podIps.map((ip) => ({ ip }));
        return { ...pod, status: { ...pod.status, phase: 'Running', hostIP: row.hostIp, podIPs } };
      }),
    );
  }

  delete(keys: readonly string[]): Promise<SinkFailures> {
    const rows = keys.map((key) => ({ key }));
    return this.#each(rows, ({ key }) =>
      this.#change(key, (pod) => {
        // It runs on another node meanwhile.
        if (pod.status?.hostIP !== this.#hostIp) return pod;
        const { podIPs: _gone, ...status } = pod.status ?? {};
        return { ...pod, status };
      }),
    );
  }

  /** Pods whose status names this node: one that went while no agent ran has its addresses taken away now. */
  async *entries(): AsyncGenerator<FoundEntry[]> {
    const pods = await this.#resources.list(POD);
    const ours = pods.filter(({ status }) => status?.hostIP === this.#hostIp && (status.podIPs?.length ?? 0) > 0);
    yield ours.map(({ metadata: { namespace = 'default', name } }) => ({ key: `${namespace}/${name}`, scope: LOCAL_SCOPE }));
  }

  async #change(key: string, change: (pod: Pod) => Pod): Promise<void> {
    const slash = key.indexOf('/');
    await this.#resources.update<Pod>(POD, key.slice(slash + 1), key.slice(0, slash), (pod) => {
      // The pod was deleted first: there is nothing to say of it.
      if (!pod) return undefined;
      const next = change(pod);
      return JSON.stringify(next) === JSON.stringify(pod) ? undefined : next;
    });
  }

  async #each<T extends { key: string }>(rows: readonly T[], fn: (row: T) => Promise<void>): Promise<SinkFailures> {
    const failures = new Map<string, unknown>();
    await Promise.all(
      rows.map((row) => fn(row).catch((error: unknown) => failures.set(row.key, new Error(messageOf(error), { cause: error })))),
    );
    return failures;
  }
}
