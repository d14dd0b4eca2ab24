import { z } from 'zod';
import { parseCommunity, WELL_KNOWN_COMMUNITIES } from '../bgp-community.ts';
import { labelSelectorSchema } from '../label-selector.ts';
import { resourceSchema } from '../resource.ts';
import { entryName, kind, refuse, uint32 } from './fields.ts';

const standard = z.string().refine(isStandard, 'must be a decimal number of 32 bits or two of 16, such as 65000:100');
const large = z.string().refine(isLarge, 'must be three decimal numbers of 32 bits, such as 64512:1:2');
const wellKnown = z.enum(Object.keys(WELL_KNOWN_COMMUNITIES) as [keyof typeof WELL_KNOWN_COMMUNITIES]);

const advertisementEntrySchema = z
  .looseObject({
    advertisementType: z.enum(['PodCIDR', 'CiliumPodIPPool', 'Service', 'Interface']),
    service: z
      .looseObject({
        addresses: z.array(z.enum(['LoadBalancerIP', 'ClusterIP', 'ExternalIP'])).min(1),
        aggregationLengthIPv4: z.int().min(0).max(31).optional(),
        aggregationLengthIPv6: z.int().min(0).max(127).optional(),
      })
      .optional(),
    interface: z.looseObject({ name: entryName }).optional(),
    /** Absent: selects nothing. */
    selector: labelSelectorSchema.optional(),
    attributes: z
      .looseObject({
        communities: z
          .looseObject({
            standard: z.array(standard).optional(),
            wellKnown: z.array(wellKnown).optional(),
            large: z.array(large).optional(),
          })
          .optional(),
        /** Sent on sessions within the AS only. */
        localPreference: uint32.optional(),
      })
      .optional(),
  })
  .superRefine((entry, context) => {
    if (entry.advertisementType === 'Service' && !entry.service) refuse(context, ['service'], 'advertisementType Service needs it');
    if (entry.advertisementType === 'Interface' && !entry.interface) refuse(context, ['interface'], 'advertisementType Interface needs it');
  });

const advertisementSchema = resourceSchema.extend({
  spec: z.looseObject({ advertisements: z.array(advertisementEntrySchema) }),
});

/** One kind of routes that peers are told of. */
export type BgpAdvertisementEntry = z.infer<typeof advertisementEntrySchema>;
/** cilium.io/v2 CiliumBGPAdvertisement: routes to announce; families of peer configs select it by its labels. */
export type CiliumBGPAdvertisement = z.infer<typeof advertisementSchema>;
export const CILIUM_BGP_ADVERTISEMENT = kind<CiliumBGPAdvertisement>({
  group: 'cilium.io',
  version: 'v2',
  servedVersions: ['v2alpha1'],
  kind: 'CiliumBGPAdvertisement',
  plural: 'ciliumbgpadvertisements',
  aliases: ['cbgpadvert'],
  namespaced: false,
  schema: advertisementSchema,
});

/** Label keys that selectors of Service advertisements may use besides the service's own labels. */
export const SERVICE_NAME_LABEL = 'io.kubernetes.service.name';
export const SERVICE_NAMESPACE_LABEL = 'io.kubernetes.service.namespace';

/** The one loadBalancerClass that is ours. A service without a class is ours, too. */
export const BGP_LOAD_BALANCER_CLASS = 'io.cilium/bgp-control-plane';

function isStandard(text: string): boolean {
  const parsed = parseCommunity(text);
  return parsed !== undefined && 'standard' in parsed && !Object.hasOwn(WELL_KNOWN_COMMUNITIES, text);
}

function isLarge(text: string): boolean {
  const parsed = parseCommunity(text);
  return parsed !== undefined && 'large' in parsed;
}
