import { apiVersionOf, type Resource, type ResourceKind } from './resource.ts';

/** Where resources live in the cluster etcd. */
export const RESOURCE_PREFIX = 'isthmus/resources/';

/** Prefix of all objects of a kind, or of one namespace of it. */
export function kindPrefix(kind: ResourceKind | ResourceKind<never>, namespace?: string): string {
  const base = `${RESOURCE_PREFIX}${kind.group}/${kind.version}/${kind.plural}/`;
  return kind.namespaced && namespace !== undefined ? `${base}${namespace}/` : base;
}

/** etcd key of one object. */
export function objectKey(kind: ResourceKind | ResourceKind<never>, name: string, namespace = 'default'): string {
  return kind.namespaced ? `${kindPrefix(kind)}${namespace}/${name}` : `${kindPrefix(kind)}${name}`;
}

/** `[<namespace>/]<name>` of an etcd key under the kind's prefix. */
export function keySuffix(kind: ResourceKind | ResourceKind<never>, etcdKey: string): string {
  return etcdKey.slice(kindPrefix(kind).length);
}

/** Whether an object says the same place as the key it was found at. */
export function isAt(kind: ResourceKind<never> | ResourceKind, object: Resource, suffix: string): boolean {
  const { namespace, name } = object.metadata;
  return object.apiVersion === apiVersionOf(kind) && suffix === (kind.namespaced ? `${namespace}/${name}` : name);
}
