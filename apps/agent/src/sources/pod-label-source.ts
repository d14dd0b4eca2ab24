import { type EndpointRow, NAMESPACE, type Namespace, POD, type Pod, type ResourceStore } from '@isthmus/model';
import { identityLabelsOf, type PodLabels } from '../endpoint/pod-identity.ts';

/** What the source reads and tells. */
export interface PodLabelSourceOptions {
  readonly resources: ResourceStore;
  readonly cluster: string;
  readonly node: string;
  /** Called when the labels of the pods that `concerns` names may have changed. */
  readonly onChanged: (concerns: (endpoint: EndpointRow) => boolean) => void;
  readonly onDisconnected: (error: unknown) => void;
  /** The pods' objects may not hold what this node wrote. */
  readonly onRelist: () => void;
}

/** Follows the labels of this node's pods and of their namespaces: other labels are another identity. Of other nodes' pods it keeps nothing. */
export class PodLabelSource {
  readonly #options: PodLabelSourceOptions;
  readonly #pods = new Map<string, PodLabels>();
  readonly #namespaces = new Map<string, Readonly<Record<string, string>>>();
  readonly #listed = new Set<'pods' | 'namespaces'>();

  constructor(options: PodLabelSourceOptions) {
    this.#options = options;
  }

  /** Identity labels of an endpoint's pod; undefined while pods or namespaces are not all known, or when there is no such pod. */
  labelsOf(endpoint: EndpointRow): string | undefined {
    // Labels without those of the namespace would be another identity.
    if (this.#listed.size < 2) return undefined;
    const pod = this.#pods.get(podKey(endpoint));
    return pod && identityLabelsOf(this.#options.cluster, pod, this.#namespaces.get(endpoint.namespace) ?? {});
  }

  /** Follows both kinds until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { resources, onDisconnected, onRelist } = this.#options;
    const pods = { onBatch: this.#takePods, onSynced: () => this.#synced('pods'), onDisconnected, onRelist };
    const namespaces = { onBatch: this.#takeNamespaces, onSynced: () => this.#synced('namespaces'), onDisconnected };
    await Promise.all([resources.watch<Pod>(POD, pods, signal), resources.watch<Namespace>(NAMESPACE, namespaces, signal)]);
  }

  readonly #takePods = (changes: readonly { readonly key: string; readonly object: Pod | undefined }[]): void => {
    const changed = new Set<string>();
    for (const { key, object } of changes) {
      const node = object?.spec?.nodeName;
      const ours = object !== undefined && (node === undefined || node === this.#options.node);
      if (ours)
        this.#pods.set(key, { metadata: labelsAndNamespace(object), spec: { serviceAccountName: object.spec?.serviceAccountName } });
      else if (!this.#pods.delete(key)) continue;
      changed.add(key);
    }
    if (changed.size > 0) this.#options.onChanged((endpoint) => changed.has(podKey(endpoint)));
  };

  readonly #takeNamespaces = (changes: readonly { readonly key: string; readonly object: Namespace | undefined }[]): void => {
    for (const { key, object } of changes) {
      if (object) this.#namespaces.set(key, object.metadata.labels ?? {});
      else this.#namespaces.delete(key);
    }
    const changed = new Set(changes.map(({ key }) => key));
    this.#options.onChanged((endpoint) => changed.has(endpoint.namespace));
  };

  #synced(kind: 'pods' | 'namespaces'): void {
    if (this.#listed.has(kind)) return;
    this.#listed.add(kind);
    this.#options.onChanged(() => true);
  }
}

function labelsAndNamespace({ metadata: { namespace, labels } }: Pod): PodLabels['metadata'] {
  return { namespace, labels };
}

function podKey(row: EndpointRow): string {
  return `${row.namespace}/${row.pod}`;
}
