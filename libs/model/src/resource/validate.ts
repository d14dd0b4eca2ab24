import { CodedError } from '@isthmus/core';
import { findKind } from './kinds.ts';
import { apiVersionOf, type Resource, type ResourceKind } from './resource.ts';
import { RESOURCE_INVALID, RESOURCE_KIND_UNKNOWN } from './resource-store.ts';

/**
 * Checks an object against its kind. The object is returned as the kind's type, unknown fields kept.
 * @throws CodedError RESOURCE_INVALID naming the field
 */
export function parseResource<T extends Resource>(kind: ResourceKind<T>, object: unknown): T {
  const result = kind.schema.safeParse(object);
  if (!result.success) {
    const issue = result.error.issues[0];
    const path = issue?.path.join('.') || '(object)';
    throw new CodedError(RESOURCE_INVALID, `${kind.kind}: ${path}: ${issue?.message}`, { object: describe(kind, object) });
  }
  const wanted = apiVersionOf(kind as ResourceKind);
  if (result.data.apiVersion !== wanted || result.data.kind !== kind.kind) {
    const message = `${kind.kind}: apiVersion: expected ${wanted}, got ${result.data.apiVersion}`;
    throw new CodedError(RESOURCE_INVALID, message, { object: describe(kind, object) });
  }
  if (kind.namespaced && result.data.metadata.namespace === undefined) {
    return { ...result.data, metadata: { ...result.data.metadata, namespace: 'default' } };
  }
  return result.data;
}

/** The kind that an object says it is. @throws CodedError RESOURCE_KIND_UNKNOWN, RESOURCE_INVALID */
export function kindOf(object: unknown): ResourceKind {
  const name = (object as { kind?: unknown } | null)?.kind;
  if (typeof name !== 'string') throw new CodedError(RESOURCE_INVALID, 'kind: required', { object: '(unnamed)' });
  const kind = findKind(name);
  if (!kind) throw new CodedError(RESOURCE_KIND_UNKNOWN, `no kind is named ${name}`, { object: name });
  return kind;
}

function describe(kind: ResourceKind<never> | { kind: string }, object: unknown): string {
  const metadata = (object as { metadata?: { name?: unknown; namespace?: unknown } } | null)?.metadata;
  return `${kind.kind} ${[metadata?.namespace, metadata?.name].filter((part) => typeof part === 'string').join('/') || '(unnamed)'}`;
}
