import { z } from 'zod';
import { resourceSchema } from '../resource.ts';
import { address, kind, port, protocol } from './fields.ts';

const podSchema = resourceSchema.extend({
  spec: z
    .looseObject({
      nodeName: z.string().optional(),
      hostNetwork: z.boolean().optional(),
      serviceAccountName: z.string().optional(),
      containers: z
        .array(
          z.looseObject({
            name: z.string(),
            ports: z.array(z.looseObject({ name: z.string().optional(), containerPort: port, protocol: protocol.optional() })).optional(),
          }),
        )
        .optional(),
    })
    .optional(),
  status: z
    .looseObject({
      phase: z.string().optional(),
      podIPs: z.array(z.looseObject({ ip: address })).optional(),
      hostIP: z.string().optional(),
      conditions: z.array(z.looseObject({ type: z.string(), status: z.string() })).optional(),
    })
    .optional(),
});
/** core/v1 Pod, the fields that Isthmus reads. */
export type Pod = z.infer<typeof podSchema>;
export const POD = kind<Pod>({
  group: 'core',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  aliases: ['pod', 'po'],
  namespaced: true,
  schema: podSchema,
});
