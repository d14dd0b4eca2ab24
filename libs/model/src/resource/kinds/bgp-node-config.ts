import { parseCidr, parseIp } from '@isthmus/net';
import { z } from 'zod';
import { resourceSchema } from '../resource.ts';
import { bgpInstanceFields, bgpPeerFields, bmpServerSchema, checkPeerPlace } from './bgp-peer-fields.ts';
import { asn, conditions, entryName, kind, namesDiffer, peerAddress, port, refuse } from './fields.ts';

const LINK_LOCAL = parseCidr('fe80::/10')!;

const peerSchema = z
  .looseObject({
    ...bgpPeerFields,
    localAddress: peerAddress.optional(),
    /** The interface of a link-local peer. */
    peerInterface: entryName.optional(),
    /** Ours, set by the operator for the clients of this node's reflector (RFC 4456). */
    routeReflectorClient: z.boolean().optional(),
  })
  .superRefine((peer, context) => {
    checkPeerPlace(peer, context);
    if (peer.peerInterface === undefined) return;
    if (peer.localAddress !== undefined) refuse(context, ['localAddress'], 'peerInterface excludes it');
    if (peer.peerAddress !== undefined && !isLinkLocal(peer.peerAddress))
      refuse(context, ['peerAddress'], 'must be link-local (fe80::/10) where peerInterface is given');
  });

const instanceSchema = z.looseObject({
  ...bgpInstanceFields,
  routerID: z.ipv4().optional(),
  /** Ours, set by the operator on nodes that reflect routes (RFC 4456). */
  routeReflectorClusterID: z.ipv4().optional(),
  peers: z.array(peerSchema).superRefine(namesDiffer).optional(),
  bmpServers: z.array(bmpServerSchema).superRefine(namesDiffer).optional(),
});

const count = z.int().min(0);
const statusPeerSchema = z.looseObject({
  name: z.string(),
  peerAddress: z.string(),
  peerASN: count.optional(),
  peeringState: z.string().optional(),
  timers: z.looseObject({ appliedHoldTimeSeconds: count.optional(), appliedKeepaliveSeconds: count.optional() }).optional(),
  /** RFC 3339, UTC. */
  establishedTime: z.string().optional(),
  routeCount: z
    .array(z.looseObject({ afi: z.string(), safi: z.string(), received: count.optional(), advertised: count.optional() }))
    .optional(),
});

const nodeConfigSchema = resourceSchema.extend({
  spec: z.looseObject({ bgpInstances: z.array(instanceSchema).min(1).max(16).superRefine(namesDiffer) }),
  status: z
    .looseObject({
      bgpInstances: z
        .array(z.looseObject({ name: z.string(), localASN: count.optional(), peers: z.array(statusPeerSchema).optional() }))
        .optional(),
      conditions,
    })
    .optional(),
});

/** An instance of a {@link CiliumBGPNodeConfig}. */
export type BgpNodeInstance = z.infer<typeof instanceSchema>;
/** A peer of a {@link BgpNodeInstance}. */
export type BgpNodePeer = z.infer<typeof peerSchema>;
/** What a node says of one of its sessions. */
export type BgpNodePeerStatus = z.infer<typeof statusPeerSchema>;
/** cilium.io/v2 CiliumBGPNodeConfig: what one node does, as the operator made it of cluster configs and overrides. Its name is the node's. */
export type CiliumBGPNodeConfig = z.infer<typeof nodeConfigSchema>;
export const CILIUM_BGP_NODE_CONFIG = kind<CiliumBGPNodeConfig>({
  group: 'cilium.io',
  version: 'v2',
  servedVersions: ['v2alpha1'],
  kind: 'CiliumBGPNodeConfig',
  plural: 'ciliumbgpnodeconfigs',
  aliases: ['cbgpnode'],
  namespaced: false,
  schema: nodeConfigSchema,
});

const overridePeerSchema = z.looseObject({ name: entryName, localAddress: peerAddress.optional(), localPort: port.optional() });
const overrideInstanceSchema = z.looseObject({
  name: entryName,
  routerID: z.ipv4().optional(),
  localPort: port.optional(),
  localASN: asn.optional(),
  peers: z.array(overridePeerSchema).superRefine(namesDiffer).optional(),
});
const overrideSchema = resourceSchema.extend({
  spec: z.looseObject({ bgpInstances: z.array(overrideInstanceSchema).min(1).superRefine(namesDiffer) }),
});

/** What one node does otherwise in an instance. */
export type BgpOverrideInstance = z.infer<typeof overrideInstanceSchema>;
/** cilium.io/v2 CiliumBGPNodeConfigOverride: what one node does otherwise than its cluster config says. Its name is the node's. */
export type CiliumBGPNodeConfigOverride = z.infer<typeof overrideSchema>;
export const CILIUM_BGP_NODE_CONFIG_OVERRIDE = kind<CiliumBGPNodeConfigOverride>({
  group: 'cilium.io',
  version: 'v2',
  servedVersions: ['v2alpha1'],
  kind: 'CiliumBGPNodeConfigOverride',
  plural: 'ciliumbgpnodeconfigoverrides',
  aliases: ['cbgpnodeoverride'],
  namespaced: false,
  schema: overrideSchema,
});

function isLinkLocal(address: string): boolean {
  const ip = parseIp(address.replace(/%.*/s, ''));
  return ip !== undefined && LINK_LOCAL.contains(ip);
}
