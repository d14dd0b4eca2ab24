import { parseCidr, parseIp } from '@isthmus/net';
import { z } from 'zod';
import { labelSelectorSchema } from '../label-selector.ts';
import { resourceSchema } from '../resource.ts';
import { conditions, kind, network, refuse } from './fields.ts';

const ip = z.string().refine((text) => parseIp(text) !== undefined, { error: 'must be an IPv4 or IPv6 address', abort: true });

const blockSchema = z
  .looseObject({ cidr: network.optional(), start: ip.optional(), stop: ip.optional() })
  .superRefine(({ cidr, start, stop }, context) => {
    if (cidr !== undefined && start !== undefined) return refuse(context, ['start'], 'excludes cidr');
    if (cidr !== undefined && stop !== undefined) return refuse(context, ['stop'], 'excludes cidr');
    if (cidr !== undefined) return;
    if (start === undefined) return refuse(context, ['cidr'], 'one of cidr and start is needed');
    if (stop === undefined) return;
    const [first, last] = [parseIp(start)!, parseIp(stop)!];
    if (first.family !== last.family) return refuse(context, ['stop'], 'must be of the same family as start');
    if (last.compare(first) < 0) refuse(context, ['stop'], 'must not be before start');
  });

const loadBalancerPoolSchema = resourceSchema.extend({
  spec: z.looseObject({
    blocks: z.array(blockSchema).optional(),
    /** Absent: every service. */
    serviceSelector: labelSelectorSchema.optional(),
    /** No new addresses are given out of it; those that are in use stay. */
    disabled: z.boolean().optional(),
    /** Whether the first and the last address of a cidr block are given out. Yes unless said otherwise; a range has no such addresses. */
    allowFirstLastIPs: z.enum(['Yes', 'No']).optional(),
  }),
  status: z.looseObject({ conditions }).optional(),
});

/** Addresses of a {@link CiliumLoadBalancerIPPool}: a network, or from `start` to `stop`, `start` alone where there is no `stop`. */
export type LoadBalancerBlock = z.infer<typeof blockSchema>;
/** cilium.io/v2 CiliumLoadBalancerIPPool: addresses for services of type LoadBalancer. */
export type CiliumLoadBalancerIPPool = z.infer<typeof loadBalancerPoolSchema>;
export const CILIUM_LOAD_BALANCER_IP_POOL = kind<CiliumLoadBalancerIPPool>({
  group: 'cilium.io',
  version: 'v2',
  servedVersions: ['v2alpha1'],
  kind: 'CiliumLoadBalancerIPPool',
  plural: 'ciliumloadbalancerippools',
  aliases: ['ippools', 'ippool', 'lbippool', 'lbippools'],
  namespaced: false,
  schema: loadBalancerPoolSchema,
});

const podPoolFamily = (family: 4 | 6) =>
  z
    .looseObject({
      cidrs: z.array(network.refine((text) => parseCidr(text)?.family === family, `must be an IPv${family} network`)).min(1),
      /** Prefix length of a node's share. */
      maskSize: z
        .int()
        .min(1)
        .max(family === 4 ? 32 : 128),
    })
    .superRefine(({ cidrs, maskSize }, context) => {
      const small = cidrs.findIndex((text) => parseCidr(text)!.length > maskSize);
      if (small >= 0) refuse(context, ['cidrs', small], `is smaller than a node's share, /${maskSize}`);
    });

const podPoolSchema = resourceSchema.extend({
  spec: z.looseObject({ ipv4: podPoolFamily(4).optional(), ipv6: podPoolFamily(6).optional() }),
});

/** cilium.io/v2alpha1 CiliumPodIPPool: networks that nodes get shares of for pods that ask for this pool. */
export type CiliumPodIPPool = z.infer<typeof podPoolSchema>;
export const CILIUM_POD_IP_POOL = kind<CiliumPodIPPool>({
  group: 'cilium.io',
  version: 'v2alpha1',
  kind: 'CiliumPodIPPool',
  plural: 'ciliumpodippools',
  aliases: ['cpip'],
  namespaced: false,
  schema: podPoolSchema,
});
