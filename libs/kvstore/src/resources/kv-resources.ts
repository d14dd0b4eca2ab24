import { isDeepStrictEqual } from 'node:util';
import { Backoff, type Clock, CodedError, delay, type Random } from '@isthmus/core';
import {
  keySuffix,
  kindPrefix,
  objectKey,
  parseResource,
  RESOURCE_CONFLICT,
  type Resource,
  type ResourceChange,
  type ResourceKind,
  type ResourcePart,
  type ResourceStore,
  type ResourceWatcher,
} from '@isthmus/model';
import type { KvEntry, KvStore } from '../kvstore.ts';
import { type MirrorChange, mirrorPrefix } from '../mirror.ts';
import { decodeResource, encodeResource } from './resource.codec.ts';

/** What {@link KvResources} works with. */
export interface KvResourcesOptions {
  kv: KvStore;
  clock: Clock;
  random: Random;
  /** A new `metadata.uid`, never given before (a UUID). */
  newUid(): string;
}

/** Attempts of a compare-and-swap before RESOURCE_CONFLICT, about 1.5 s in all. */
const MAX_ATTEMPTS = 16;
const RETRY = { minMs: 2, maxMs: 200 };

/** What lies at a key. Without an object the key is absent (revision 0) or holds something invalid. */
interface Found<T> {
  object: T | undefined;
  modRevision: number;
}

/** Where an object lies. */
interface Place<T extends Resource> {
  kind: ResourceKind<T>;
  name: string;
  namespace: string | undefined;
}

type ChangeOf<T> = (current: T | undefined) => T | undefined;

/**
 * Resources in a key-value store: JSON under `isthmus/resources/`. `metadata.resourceVersion` is the revision of the key; `uid` and
 * `creationTimestamp` are given at creation and stay. What has not its kind's shape counts as absent, and may be written over.
 */
export class KvResources implements ResourceStore {
  readonly #options: KvResourcesOptions;

  constructor(options: KvResourcesOptions) {
    this.#options = options;
  }

  async get<T extends Resource>(kind: ResourceKind<T>, name: string, namespace?: string): Promise<T | undefined> {
    return (await this.#find({ kind, name, namespace })).object;
  }

  async list<T extends Resource>(kind: ResourceKind<T>, namespace?: string): Promise<T[]> {
    const objects: T[] = [];
    for await (const { entries } of this.#options.kv.list(kindPrefix(untyped(kind), namespace))) {
      for (const entry of entries) {
        const { object } = found(kind, entry);
        if (object) objects.push(object);
      }
    }
    return objects;
  }

  async apply<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<'created' | 'configured' | 'unchanged'> {
    const wanted = parseResource(kind, object);
    const { name, namespace } = wanted.metadata;
    let before: T | undefined;
    const after = await this.#swap({ kind, name, namespace }, (current) => {
      before = current;
      return replaced(wanted, current);
    });
    if (!before) return 'created';
    return after?.metadata.resourceVersion === before.metadata.resourceVersion ? 'unchanged' : 'configured';
  }

  update<T extends Resource>(
    kind: ResourceKind<T>,
    name: string,
    namespace: string | undefined,
    change: ChangeOf<T>,
  ): Promise<T | undefined> {
    return this.#swap({ kind, name, namespace }, change);
  }

  async delete<T extends Resource>(kind: ResourceKind<T>, name: string, namespace?: string): Promise<boolean> {
    const { deleted } = await this.#options.kv.delete(objectKey(untyped(kind), name, namespace));
    return deleted > 0;
  }

  async watch<T extends Resource>(
    kind: ResourceKind<T>,
    watcher: ResourceWatcher<T>,
    signal: AbortSignal,
    { namespace, name }: ResourcePart = {},
  ): Promise<void> {
    const { kv, clock, random } = this.#options;
    const only = name === undefined ? undefined : objectKey(untyped(kind), name, namespace);
    await mirrorPrefix(kv, {
      prefix: only ?? kindPrefix(untyped(kind), namespace),
      clock,
      random,
      signal,
      onBatch: (changes) => {
        // A prefix has others whose names begin with this one, too.
        const wanted = only === undefined ? changes : changes.filter(({ key }) => key === only);
        if (wanted.length > 0) watcher.onBatch(wanted.map((change) => resourceChange(kind, change, watcher)));
      },
      onSynced: () => watcher.onSynced(),
      onDisconnected: (error) => watcher.onDisconnected?.(error),
      onRelist: () => watcher.onRelist?.(),
    });
  }

  async #find<T extends Resource>({ kind, name, namespace }: Place<T>): Promise<Found<T>> {
    const entry = await this.#options.kv.get(objectKey(untyped(kind), name, namespace));
    return entry ? found(kind, entry) : { object: undefined, modRevision: 0 };
  }

  /** Compare-and-swap until it succeeds or there is nothing to change; the object as it is then. */
  async #swap<T extends Resource>(place: Place<T>, change: ChangeOf<T>): Promise<T | undefined> {
    const { clock, random } = this.#options;
    const backoff = new Backoff(RETRY, random);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (attempt > 0) await delay(clock, backoff.next());
      const before = await this.#find(place);
      const next = change(before.object && structuredClone(before.object));
      if (next === undefined) return before.object;
      const wanted = this.#complete(place, next, before.object);
      if (before.object && sameObject(wanted, before.object)) return before.object;
      const revision = await this.#write(place, wanted, before.modRevision);
      if (revision !== undefined) return withVersion(wanted, revision);
    }
    const object = `${place.kind.kind} ${[place.namespace, place.name].filter(Boolean).join('/')}`;
    throw new CodedError(RESOURCE_CONFLICT, `${object} changed ${MAX_ATTEMPTS} times while it was being written`, { object });
  }

  /** The object as it will be read back: in its kind's shape, at its place, with the metadata that only the store gives. */
  #complete<T extends Resource>({ kind, name, namespace }: Place<T>, next: T, before: T | undefined): T {
    const metadata = {
      ...next.metadata,
      name,
      ...(kind.namespaced && { namespace: namespace ?? 'default' }),
      uid: before?.metadata.uid ?? this.#options.newUid(),
      creationTimestamp: before?.metadata.creationTimestamp ?? timestamp(this.#options.clock),
    };
    return parseResource(kind, JSON.parse(encodeResource({ ...next, metadata })));
  }

  /** @returns the revision written, undefined when somebody else wrote in between */
  async #write<T extends Resource>(place: Place<T>, object: T, modRevision: number): Promise<number | undefined> {
    const key = objectKey(untyped(place.kind), place.name, place.namespace);
    const { succeeded, revision } = await this.#options.kv.txn({
      compare: [{ key, modRevision }],
      success: [{ type: 'put', key, value: encodeResource(object) }],
    });
    return succeeded ? revision : undefined;
  }
}

/** Keys depend on a kind's names only, never on its type of object. */
function untyped<T extends Resource>(kind: ResourceKind<T>): ResourceKind {
  return kind as unknown as ResourceKind;
}

function found<T extends Resource>(kind: ResourceKind<T>, { key, value, modRevision }: KvEntry): Found<T> {
  try {
    return { object: decodeResource(kind, keySuffix(untyped(kind), key), value, modRevision), modRevision };
  } catch {
    return { object: undefined, modRevision }; // absent by definition; watchers are told why
  }
}

function resourceChange<T extends Resource>(
  kind: ResourceKind<T>,
  change: MirrorChange,
  watcher: Pick<ResourceWatcher<T>, 'onInvalid'>,
): ResourceChange<T> {
  const key = keySuffix(untyped(kind), change.key);
  if (!change.value) return { key, object: undefined };
  try {
    return { key, object: decodeResource(kind, key, change.value, change.revision) };
  } catch (error) {
    watcher.onInvalid?.(key, error);
    return { key, object: undefined };
  }
}

/** What `apply` makes of an object: status, and the mark of a deletion that has begun, are not the applier's. */
function replaced<T extends Resource>(wanted: T, current: T | undefined): T {
  const { deletionTimestamp } = current?.metadata ?? {};
  return { ...wanted, metadata: { ...wanted.metadata, deletionTimestamp }, status: (current as { status?: unknown } | undefined)?.status };
}

function sameObject(wanted: Resource, current: Resource): boolean {
  const { resourceVersion: _, ...metadata } = current.metadata;
  return isDeepStrictEqual(wanted, { ...current, metadata });
}

function withVersion<T extends Resource>(object: T, revision: number): T {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
}

/** RFC 3339 in whole seconds, as Kubernetes writes it. */
function timestamp(clock: Clock): string {
  return new Date(clock.wall()).toISOString().replace(/\.\d+Z$/, 'Z');
}
