import { z } from 'zod';
import { type Resource, resourceSchema } from '../resource.ts';
import { kind, stringMap } from './fields.ts';

// No message of these rules repeats a value: errors are logged and printed.
const secretSchema = resourceSchema
  .extend({
    type: z.string().optional(),
    data: z.record(z.string(), z.base64()).optional(),
    /** The same as text; kept as `data`, as the Kubernetes API does. */
    stringData: stringMap.optional(),
  })
  .transform(({ stringData, ...secret }) => {
    if (stringData === undefined) return secret;
    const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    return { ...secret, data: { ...secret.data, ...(Object.fromEntries(encoded) as Record<string, string>) } };
  });
/** core/v1 Secret. Its values are for those that need them alone: whoever shows an object shows what {@link withoutSecretData} leaves. */
export type Secret = Resource & { type?: string | undefined; data?: Record<string, string> | undefined };
export const SECRET = kind<Secret>({
  group: 'core',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  aliases: ['secret'],
  namespaced: true,
  schema: secretSchema as unknown as z.ZodType<Secret>,
});

/** The bytes of one entry of a secret; undefined when it has none of this key. */
export function secretValue(secret: Secret, key: string): Buffer | undefined {
  const value = Object.hasOwn(secret.data ?? {}, key) ? secret.data?.[key] : undefined;
  return value === undefined ? undefined : Buffer.from(value, 'base64');
}

/** The annotation in which kubectl keeps what was applied last, values and all. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** An object as it may be shown: itself, or a Secret with notes of their length in the place of its values. */
export function withoutSecretData<T extends Resource>(object: T): T {
  if (object.kind !== SECRET.kind) return object;
  const { data, metadata, ...rest } = object as T & Secret;
  const shown: Record<string, unknown> = { ...rest, metadata: withoutLastApplied(metadata) };
  if (data) shown['data'] = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, lengthNote(value)]));
  delete shown['stringData'];
  return shown as unknown as T;
}

function withoutLastApplied(metadata: Resource['metadata']): Resource['metadata'] {
  if (metadata.annotations?.[LAST_APPLIED] === undefined) return metadata;
  const { [LAST_APPLIED]: _, ...annotations } = metadata.annotations;
  return { ...metadata, annotations };
}

function lengthNote(value: string): string {
  const { length } = Buffer.from(value, 'base64');
  return `(${length} ${length === 1 ? 'byte' : 'bytes'}, not shown)`;
}
