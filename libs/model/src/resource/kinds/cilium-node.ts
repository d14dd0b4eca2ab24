import { z } from 'zod';
import { resourceSchema } from '../resource.ts';
import { address, cidr, kind } from './fields.ts';

const addressCount = z.int().min(0).optional();

/** What a node has, and wants, of CiliumPodIPPools. */
const podPoolsSchema = z.looseObject({
  requested: z
    .array(
      z.looseObject({ pool: z.string(), needed: z.looseObject({ 'ipv4-addrs': addressCount, 'ipv6-addrs': addressCount }).optional() }),
    )
    .optional(),
  allocated: z.array(z.looseObject({ pool: z.string(), cidrs: z.array(cidr).optional() })).optional(),
});

const ciliumNodeSchema = resourceSchema.extend({
  spec: z.looseObject({
    addresses: z.array(z.looseObject({ type: z.string(), ip: address })).optional(),
    ipam: z.looseObject({ podCIDRs: z.array(cidr).optional(), pools: podPoolsSchema.optional() }).optional(),
    bootid: z.string().optional(),
  }),
  status: z.looseObject({}).optional(),
});
/** cilium.io/v2 CiliumNode: what a node says of itself, and the pod CIDRs that the operator gave it. */
export type CiliumNode = z.infer<typeof ciliumNodeSchema>;
export const CILIUM_NODE = kind<CiliumNode>({
  group: 'cilium.io',
  version: 'v2',
  kind: 'CiliumNode',
  plural: 'ciliumnodes',
  aliases: ['ciliumnode', 'cn', 'node', 'nodes'],
  namespaced: false,
  schema: ciliumNodeSchema,
});
