import { CodedError, messageOf } from '@isthmus/core';
import { isAt, parseResource, RESOURCE_INVALID, type Resource, type ResourceKind } from '@isthmus/model';

const text = new TextDecoder('utf-8', { fatal: true });

/** The stored form: JSON of the object without its `resourceVersion`, which is the key's revision. */
export function encodeResource(object: Resource): string {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return JSON.stringify({ ...object, metadata });
}

/**
 * Reads a stored object, `resourceVersion` filled in.
 * @param suffix `[<namespace>/]<name>`, the place that the object must name itself
 * @throws CodedError RESOURCE_INVALID when it is no JSON, has not its kind's shape, or says that it is somewhere else
 */
export function decodeResource<T extends Resource>(kind: ResourceKind<T>, suffix: string, value: Uint8Array, modRevision: number): T {
  const object = parseResource(kind, parseJson(kind, suffix, value));
  if (!isAt(kind as unknown as ResourceKind, object, suffix)) {
    const { namespace, name } = object.metadata;
    const message = `${kind.kind} ${suffix} says that it is ${namespace === undefined ? name : `${namespace}/${name}`}`;
    throw new CodedError(RESOURCE_INVALID, message, { object: `${kind.kind} ${suffix}` });
  }
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(modRevision) } };
}

function parseJson(kind: { kind: string }, suffix: string, value: Uint8Array): unknown {
  try {
    return JSON.parse(text.decode(value));
  } catch (cause) {
    throw new CodedError(RESOURCE_INVALID, `${kind.kind} ${suffix} is no JSON: ${messageOf(cause)}`, { object: `${kind.kind} ${suffix}` });
  }
}
