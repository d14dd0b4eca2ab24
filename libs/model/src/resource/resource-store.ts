import { defineError } from '@isthmus/core';
import type { Resource, ResourceKind } from './resource.ts';

export const RESOURCE_INVALID = defineError(
  'RESOURCE_INVALID',
  'A resource does not have the shape of its kind.',
  'Correct the named field and apply it again.',
);
export const RESOURCE_CONFLICT = defineError(
  'RESOURCE_CONFLICT',
  'A resource kept changing while it was being updated.',
  'Try again; if it persists, look for two writers of the same field.',
);
export const RESOURCE_NOT_FOUND = defineError(
  'RESOURCE_NOT_FOUND',
  'A named resource does not exist.',
  'Check the name and the namespace with `isthmus get`.',
);
export const RESOURCE_KIND_UNKNOWN = defineError(
  'RESOURCE_KIND_UNKNOWN',
  'No kind of resource has this name.',
  'Run `isthmus get --help` for the kinds there are.',
);

/** A resource that appeared, changed, or is gone (`object` undefined). */
export interface ResourceChange<T> {
  /** `[<namespace>/]<name>`. */
  readonly key: string;
  readonly object: T | undefined;
}

/** Who wants to hear of a kind. */
export interface ResourceWatcher<T> {
  /** Changes of one revision, or of one page of a listing. */
  onBatch(changes: readonly ResourceChange<T>[]): void;
  /** The first full listing has been delivered; called again after each later one. */
  onSynced(): void;
  /** Contact was lost; it is being restored and nothing will be missed. What was delivered stays true until said otherwise. */
  onDisconnected?(error: unknown): void;
  /** The next thing is a full listing: the store may not hold any more what was written to it (it was wiped, or restored from a copy). */
  onRelist?(): void;
  /** An object that does not have its kind's shape; it counts as absent. */
  onInvalid?(key: string, error: unknown): void;
}

/** Some of the objects of a kind; all that is given must hold. */
export interface ResourcePart {
  readonly namespace?: string | undefined;
  /** Of an object in that namespace, or of a kind without namespaces. */
  readonly name?: string | undefined;
}

/**
 * Kubernetes-shaped objects, wherever they are kept: etcd or the Kubernetes API. Nothing behind this port knows which.
 * `namespace` is ignored for kinds without namespaces.
 */
export interface ResourceStore {
  get<T extends Resource>(kind: ResourceKind<T>, name: string, namespace?: string): Promise<T | undefined>;
  list<T extends Resource>(kind: ResourceKind<T>, namespace?: string): Promise<T[]>;
  /**
   * Creates the object, or replaces everything of it but its status.
   * @throws CodedError RESOURCE_INVALID
   */
  apply<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<'created' | 'configured' | 'unchanged'>;
  /**
   * Reads, lets `change` say what it should be, writes if nobody wrote in between; tries again otherwise. `change` gets undefined when there is
   * none, and returns undefined to leave things as they are.
   * @throws CodedError RESOURCE_CONFLICT after too many tries
   */
  update<T extends Resource>(
    kind: ResourceKind<T>,
    name: string,
    namespace: string | undefined,
    change: (current: T | undefined) => T | undefined,
  ): Promise<T | undefined>;
  /** @returns false when there was none */
  delete<T extends Resource>(kind: ResourceKind<T>, name: string, namespace?: string): Promise<boolean>;
  /**
   * Delivers all objects of a kind, then their changes, until the signal aborts. Reconnects by itself, for ever.
   * @param part only these objects: for those that may not read the others, or must not hear of a thousand when they mean one. Keys are
   * `<namespace>/<name>` all the same
   */
  watch<T extends Resource>(kind: ResourceKind<T>, watcher: ResourceWatcher<T>, signal: AbortSignal, part?: ResourcePart): Promise<void>;
}
