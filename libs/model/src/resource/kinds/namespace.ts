import type { z } from 'zod';
import { resourceSchema } from '../resource.ts';
import { kind } from './fields.ts';

const namespaceSchema = resourceSchema;
/** core/v1 Namespace. */
export type Namespace = z.infer<typeof namespaceSchema>;
export const NAMESPACE = kind<Namespace>({
  group: 'core',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  aliases: ['namespace', 'ns'],
  namespaced: false,
  schema: namespaceSchema,
});
