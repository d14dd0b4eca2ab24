import { z } from 'zod';
import { labelSelectorSchema } from '../label-selector.ts';
import { resourceSchema } from '../resource.ts';
import { bgpInstanceFields, bgpPeerFields, bmpServerSchema, checkPeerPlace } from './bgp-peer-fields.ts';
import { conditions, kind, namesDiffer } from './fields.ts';

const peerSchema = z.looseObject(bgpPeerFields).superRefine(checkPeerPlace);

const instanceSchema = z.looseObject({
  ...bgpInstanceFields,
  peers: z.array(peerSchema).superRefine(namesDiffer).optional(),
  bmpServers: z.array(bmpServerSchema).superRefine(namesDiffer).optional(),
});

const clusterConfigSchema = resourceSchema.extend({
  spec: z.looseObject({
    /** Absent or empty: all nodes. */
    nodeSelector: labelSelectorSchema.optional(),
    bgpInstances: z.array(instanceSchema).min(1).max(16).superRefine(namesDiffer),
    bmpServers: z.array(bmpServerSchema).superRefine(namesDiffer).optional(),
  }),
  status: z.looseObject({ conditions }).optional(),
});

/** An instance of a {@link CiliumBGPClusterConfig}. */
export type BgpInstance = z.infer<typeof instanceSchema>;
/** A peer of a {@link BgpInstance}. */
export type BgpPeer = z.infer<typeof peerSchema>;
/** cilium.io/v2 CiliumBGPClusterConfig: the BGP instances and peers of the nodes that it selects. */
export type CiliumBGPClusterConfig = z.infer<typeof clusterConfigSchema>;
export const CILIUM_BGP_CLUSTER_CONFIG = kind<CiliumBGPClusterConfig>({
  group: 'cilium.io',
  version: 'v2',
  servedVersions: ['v2alpha1'],
  kind: 'CiliumBGPClusterConfig',
  plural: 'ciliumbgpclusterconfigs',
  aliases: ['cbgpcluster'],
  namespaced: false,
  schema: clusterConfigSchema,
});
