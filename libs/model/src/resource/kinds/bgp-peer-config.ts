import { z } from 'zod';
import { labelSelectorSchema } from '../label-selector.ts';
import { resourceSchema } from '../resource.ts';
import { bgpRouteImportSchema } from './bgp-route-import.ts';
import { conditions, kind, port, refuse, uint32 } from './fields.ts';

/** Hold time where none is given, seconds. */
export const DEFAULT_HOLD_SECONDS = 90;

const MAX_INT32 = 2_147_483_647;

const timersSchema = z
  .looseObject({
    connectRetryTimeSeconds: z.int().min(1).max(MAX_INT32).optional(),
    holdTimeSeconds: z.int().min(3).max(65535).optional(),
    keepAliveTimeSeconds: z.int().min(1).max(65535).optional(),
  })
  .superRefine(({ keepAliveTimeSeconds, holdTimeSeconds = DEFAULT_HOLD_SECONDS }, context) => {
    if (keepAliveTimeSeconds !== undefined && keepAliveTimeSeconds > holdTimeSeconds)
      refuse(context, ['keepAliveTimeSeconds'], `must not be above the hold time, ${holdTimeSeconds}`);
  });

/** A family that routes of can be exchanged; of all that may be written, unicast of ipv4 and ipv6 work. */
const familySchema = z.looseObject({
  afi: z.enum(['ipv4', 'ipv6', 'l2vpn', 'ls', 'opaque']),
  safi: z.enum([
    'unicast',
    'multicast',
    'mpls_label',
    'encapsulation',
    'vpls',
    'evpn',
    'ls',
    'sr_policy',
    'mup',
    'mpls_vpn',
    'mpls_vpn_multicast',
    'route_target_constraints',
    'flowspec_unicast',
    'flowspec_vpn',
    'key_value',
  ]),
  /** Selects CiliumBGPAdvertisements by their labels. Absent: none. */
  advertisements: labelSelectorSchema.optional(),
});

const bfdMilliseconds = z.int().min(10).max(60_000);

const peerConfigSchema = resourceSchema.extend({
  spec: z
    .looseObject({
      transport: z.looseObject({ peerPort: port.optional(), localPort: port.optional() }).optional(),
      timers: timersSchema.optional(),
      /** Name of a Secret in the namespace of BGP secrets, whose `password` both sides sign with (RFC 2385). */
      authSecretRef: z.string().min(1).optional(),
      gracefulRestart: z.looseObject({ enabled: z.boolean(), restartTimeSeconds: z.int().min(1).max(4095).optional() }).optional(),
      ebgpMultihop: z.int().min(1).max(255).optional(),
      families: z.array(familySchema).optional(),
      // From here on ours.
      bfd: z
        .looseObject({
          enabled: z.boolean(),
          transmitIntervalMilliseconds: bfdMilliseconds.optional(),
          receiveIntervalMilliseconds: bfdMilliseconds.optional(),
          detectionMultiplier: z.int().min(1).max(255).optional(),
        })
        .optional(),
      /** Packets from more hops away than this are not taken (RFC 5082). */
      gtsmHops: z.int().min(1).max(255).optional(),
      /** More prefixes of one family than this end the session (RFC 4486). */
      maxPrefixes: z.int().min(1).max(MAX_INT32).optional(),
      routeImport: bgpRouteImportSchema.optional(),
      /** The peer is a client of this node's reflector (RFC 4456). */
      routeReflectorClient: z.boolean().optional(),
      /** Several paths of one prefix (RFC 7911). */
      addPath: z.looseObject({ send: z.boolean().optional(), receive: z.boolean().optional() }).optional(),
      /** How often the own AS is put before the path of announced routes, besides the one time that RFC 4271 asks for. */
      prepend: z.int().min(1).max(10).optional(),
      /** MULTI_EXIT_DISC of announced routes. */
      med: uint32.optional(),
    })
    .superRefine(({ gtsmHops, ebgpMultihop }, context) => {
      if (gtsmHops !== undefined && (ebgpMultihop ?? 1) > 1) refuse(context, ['gtsmHops'], 'excludes ebgpMultihop above 1');
    }),
  status: z.looseObject({ conditions }).optional(),
});

/** A family of a {@link CiliumBGPPeerConfig}, and what is announced in it. */
export type BgpPeerFamily = z.infer<typeof familySchema>;
/** cilium.io/v2 CiliumBGPPeerConfig: how sessions with peers go that refer to it. Effective values: `peerTimers`, `peerBfd` and so on. */
export type CiliumBGPPeerConfig = z.infer<typeof peerConfigSchema>;
export const CILIUM_BGP_PEER_CONFIG = kind<CiliumBGPPeerConfig>({
  group: 'cilium.io',
  version: 'v2',
  servedVersions: ['v2alpha1'],
  kind: 'CiliumBGPPeerConfig',
  plural: 'ciliumbgppeerconfigs',
  aliases: ['cbgppeer'],
  namespaced: false,
  schema: peerConfigSchema,
});
