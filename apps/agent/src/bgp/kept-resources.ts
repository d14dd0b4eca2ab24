import { type Resource, type ResourceKind, type ResourcePart, type ResourceStore, type ResourceWatcher, resourceKey } from '@isthmus/model';

/** What is remembered of an object; undefined: nothing. It must be enough to be an object of its kind. */
export type Remember = (object: Resource) => Resource | undefined;

/**
 * Watches as the store does, and remembers what it delivered. What an earlier run remembered is delivered first, as a full listing: whoever
 * watches has something to work with while the store does not answer. What of that the store does not have goes when it has said all.
 */
export class KeptResources implements Pick<ResourceStore, 'watch'> {
  readonly #store: Pick<ResourceStore, 'watch'>;
  readonly #remember: Remember;
  readonly #kept: readonly Resource[] | undefined;
  readonly #known: ReadonlyMap<string, Resource>[] = [];

  /** @param kept what an earlier run remembered of all that will be watched; undefined: nothing is known of one */
  constructor(store: Pick<ResourceStore, 'watch'>, remember: Remember, kept?: readonly Resource[]) {
    this.#store = store;
    this.#remember = remember;
    this.#kept = kept;
  }

  /** What is remembered now. */
  *objects(): Generator<Resource> {
    for (const known of this.#known) yield* known.values();
  }

  watch<T extends Resource>(kind: ResourceKind<T>, watcher: ResourceWatcher<T>, signal: AbortSignal, part?: ResourcePart): Promise<void> {
    const earlier = this.#earlier(kind, part);
    const known = new Map<string, Resource>(earlier);
    const unconfirmed = new Set(earlier.keys());
    this.#known.push(known);
    if (this.#kept !== undefined) {
      watcher.onBatch([...earlier].map(([key, object]) => ({ key, object })));
      watcher.onSynced();
    }
    const onBatch: typeof watcher.onBatch = (changes) => {
      for (const { key, object } of changes) {
        unconfirmed.delete(key);
        const remembered = object && this.#remember(object);
        if (remembered === undefined) known.delete(key);
        else known.set(key, remembered);
      }
      watcher.onBatch(changes);
    };
    const onSynced = (): void => {
      if (unconfirmed.size > 0) onBatch([...unconfirmed].map((key) => ({ key, object: undefined })));
      watcher.onSynced();
    };
    return this.#store.watch(kind, { ...watcher, onBatch, onSynced }, signal, part);
  }

  #earlier<T extends Resource>(kind: ResourceKind<T>, { name, namespace }: ResourcePart = {}): Map<string, T> {
    const objects = (this.#kept ?? []).filter(
      (object): object is T =>
        object.kind === kind.kind &&
        (name === undefined || object.metadata.name === name) &&
        (namespace === undefined || object.metadata.namespace === namespace),
    );
    return new Map(objects.map((object) => [resourceKey(object), object]));
  }
}
