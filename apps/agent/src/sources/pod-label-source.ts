import type { Table } from '@isthmus/core';
import { type EndpointRow, NAMESPACE, type Namespace, POD, type Pod, type ResourceStore } from '@isthmus/model';
import type { IdentityKeeper } from '../endpoint/identity-keeper.ts';
import { identityLabelsOf } from '../endpoint/pod-identity.ts';

/** What the source reads and tells. */
export interface PodLabelSourceOptions {
  readonly resources: ResourceStore;
  readonly cluster: string;
  readonly endpoints: Table<EndpointRow>;
  readonly keeper: IdentityKeeper;
  readonly onDisconnected: (error: unknown) => void;
}

/** Follows the labels of this node's pods and of their namespaces: other labels are another identity. */
export async function runPodLabelSource(options: PodLabelSourceOptions, signal: AbortSignal): Promise<void> {
  const source = new PodLabelSource(options);
  await Promise.all([source.watchPods(signal), source.watchNamespaces(signal)]);
}

class PodLabelSource {
  readonly #options: PodLabelSourceOptions;
  readonly #pods = new Map<string, Pod>();
  readonly #listed = new Set<'pods' | 'namespaces'>();
  readonly #namespaceLabels = new Map<string, Readonly<Record<string, string>>>();

  constructor(options: PodLabelSourceOptions) {
    this.#options = options;
  }

  watchPods(signal: AbortSignal): Promise<void> {
    return this.#options.resources.watch<Pod>(
      POD,
      {
        onBatch: (changes) => {
          for (const { key, object } of changes) {
            if (object) this.#pods.set(key, object);
            else this.#pods.delete(key);
          }
          this.#check((row) => changes.some(({ key }) => key === podKey(row)));
        },
        onSynced: () => this.#synced('pods'),
        onDisconnected: this.#options.onDisconnected,
      },
      signal,
    );
  }

  watchNamespaces(signal: AbortSignal): Promise<void> {
    return this.#options.resources.watch<Namespace>(
      NAMESPACE,
      {
        onBatch: (changes) => {
          for (const { key, object } of changes) this.#namespaceLabels.set(key, object?.metadata.labels ?? {});
          this.#check((row) => changes.some(({ key }) => key === row.namespace));
        },
        onSynced: () => this.#synced('namespaces'),
        onDisconnected: this.#options.onDisconnected,
      },
      signal,
    );
  }

  /** Labels are complete only when both kinds are listed: half of them would be another identity. */
  #synced(kind: 'pods' | 'namespaces'): void {
    if (this.#listed.size === 2) return;
    this.#listed.add(kind);
    this.#check(() => true);
  }

  #check(concerns: (row: EndpointRow) => boolean): void {
    if (this.#listed.size < 2) return;
    for (const [, row] of [...this.#options.endpoints.rows()]) {
      const pod = concerns(row) ? this.#pods.get(podKey(row)) : undefined;
      if (!pod || row.identity === 0) continue;
      void this.#options.keeper.relabel(row, identityLabelsOf(this.#options.cluster, pod, this.#namespaceLabels.get(row.namespace) ?? {}));
    }
  }
}

function podKey(row: EndpointRow): string {
  return `${row.namespace}/${row.pod}`;
}
