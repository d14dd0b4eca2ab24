import { z } from 'zod';

/** A DNS label or subdomain, as Kubernetes names objects. */
const objectName = z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, 'must be lower-case letters, digits, - and . (RFC 1123)');
const stringMap = z.record(z.string(), z.string());

/** `metadata` of every resource; fields that we do not use are kept as they are. */
export const objectMetaSchema = z.looseObject({
  name: objectName,
  namespace: objectName.optional(),
  labels: stringMap.optional(),
  annotations: stringMap.optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
});

/** The part of a resource that all kinds share. */
export const resourceSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: objectMetaSchema,
});

export type ObjectMeta = z.infer<typeof objectMetaSchema>;
/** A Kubernetes-shaped object. */
export type Resource = z.infer<typeof resourceSchema>;

/** A kind of resource: where its objects live and what they must look like. */
export interface ResourceKind<T extends Resource = Resource> {
  /** API group, `core` for the unnamed one. */
  readonly group: string;
  readonly version: string;
  /** Other versions of the group that objects may be written in; they are kept as `version`, which takes all that these do. */
  readonly servedVersions?: readonly string[];
  readonly kind: string;
  readonly plural: string;
  /** Other names that people type. */
  readonly aliases: readonly string[];
  readonly namespaced: boolean;
  readonly schema: z.ZodType<T>;
}

/** `apiVersion` as objects of this kind carry it. */
export function apiVersionOf(kind: ResourceKind<never> | ResourceKind): string {
  return kind.group === 'core' ? kind.version : `${kind.group}/${kind.version}`;
}

/** `<namespace>/<name>`, or the name alone for kinds without namespaces: the key of a resource in tables. */
export function resourceKey(object: Resource): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}
