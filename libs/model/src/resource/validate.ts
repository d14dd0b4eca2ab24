import { CodedError } from '@isthmus/core';
import { findKind } from './kinds.ts';
import { apiVersionOf, type Resource, type ResourceKind } from './resource.ts';
import { RESOURCE_INVALID, RESOURCE_KIND_UNKNOWN } from './resource-store.ts';

/**
 * Checks an object against its kind. The object is returned as the kind's type, unknown fields kept, in the kind's own version.
 * @throws CodedError RESOURCE_INVALID naming the field
 */
export function parseResource<T extends Resource>(kind: ResourceKind<T>, object: unknown): T {
  const result = kind.schema.safeParse(object);
  if (!result.success) {
    const issue = result.error.issues[0];
    const path = issue?.path.join('.') || '(object)';
    throw new CodedError(RESOURCE_INVALID, `${kind.kind}: ${path}: ${issue?.message}`, { object: describe(kind, object) });
  }
  const { apiVersion, metadata } = result.data;
  const wanted = apiVersionOf(kind as ResourceKind);
  const served = (kind.servedVersions ?? []).map((version) => apiVersionOf({ ...kind, version } as ResourceKind));
  if (![wanted, ...served].includes(apiVersion) || result.data.kind !== kind.kind) {
    const message = `${kind.kind}: apiVersion: expected ${wanted}, got ${apiVersion}`;
    throw new CodedError(RESOURCE_INVALID, message, { object: describe(kind, object) });
  }
  const placed = !kind.namespaced || metadata.namespace !== undefined ? metadata : { ...metadata, namespace: 'default' };
  if (placed === metadata && apiVersion === wanted) return result.data;
  return { ...result.data, apiVersion: wanted, metadata: placed };
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
