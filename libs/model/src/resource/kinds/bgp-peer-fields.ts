import { z } from 'zod';
import { labelSelectorSchema } from '../label-selector.ts';
import { asn, entryName, network, peerAddress, refuse, uint32 } from './fields.ts';

const discoverySchema = z
  .looseObject({
    mode: z.enum(['DefaultGateway', 'Unnumbered', 'NodeMesh']),
    defaultGateway: z.looseObject({ addressFamily: z.enum(['ipv4', 'ipv6']) }).optional(),
    unnumbered: z.looseObject({ interface: entryName }).optional(),
    /** Ours: every other node of the cluster config is a peer. */
    nodeMesh: z
      .looseObject({
        /** Family of the addresses that sessions use; IPv4 where both nodes have it, unless said otherwise. */
        addressFamily: z.enum(['ipv4', 'ipv6']).optional(),
        /** Nodes that are selected reflect routes (RFC 4456); the others have sessions with these alone. */
        routeReflector: z.looseObject({ clusterID: z.ipv4(), nodeSelector: labelSelectorSchema }).optional(),
      })
      .optional(),
  })
  .superRefine((discovery, context) => {
    const { mode } = discovery;
    if (mode === 'DefaultGateway' && !discovery.defaultGateway) refuse(context, ['defaultGateway'], 'mode DefaultGateway needs it');
    if (mode === 'Unnumbered' && !discovery.unnumbered) refuse(context, ['unnumbered'], 'mode Unnumbered needs it');
    if (mode !== 'NodeMesh' && discovery.nodeMesh) refuse(context, ['nodeMesh'], 'only mode NodeMesh takes it');
  });

/** How the address of a peer is found. */
export type BgpAutoDiscovery = z.infer<typeof discoverySchema>;

/** What peers of cluster configs and of node configs share. v2alpha1 references name group and kind, too, which are kept. */
export const bgpPeerFields = {
  name: entryName,
  peerAddress: peerAddress.optional(),
  /** Ours: peers that connect from this network are accepted, each with a session of its own. */
  peerRange: network.optional(),
  /** 0: whatever the peer says in its OPEN. */
  peerASN: uint32.optional(),
  autoDiscovery: discoverySchema.optional(),
  peerConfigRef: z.looseObject({ name: z.string().min(1) }).optional(),
};

/** What {@link checkPeerPlace} looks at. */
interface PeerPlace {
  readonly peerAddress?: string | undefined;
  readonly peerRange?: string | undefined;
  readonly peerInterface?: string | undefined;
  readonly autoDiscovery?: BgpAutoDiscovery | undefined;
}

/** A peer must be somewhere, and in one place only. */
export function checkPeerPlace(peer: PeerPlace, context: z.RefinementCtx): void {
  const { peerAddress, peerRange, autoDiscovery, peerInterface } = peer;
  if (peerRange !== undefined && peerAddress !== undefined) refuse(context, ['peerRange'], 'excludes peerAddress');
  if (peerRange !== undefined && autoDiscovery) refuse(context, ['peerRange'], 'excludes autoDiscovery');
  if (peerAddress !== undefined && autoDiscovery?.mode === 'NodeMesh') refuse(context, ['peerAddress'], 'mode NodeMesh excludes it');
  if (peerAddress === undefined && peerRange === undefined && peerInterface === undefined && !autoDiscovery)
    refuse(context, ['peerAddress'], 'one of peerAddress, peerRange and autoDiscovery is needed');
}

/** A monitoring station (RFC 7854). Checked and kept; Isthmus does not speak BMP, which the operator says in a condition. */
export const bmpServerSchema = z.looseObject({
  name: entryName,
  peerAddress,
  peerPort: z.int().min(1).max(65535).optional(),
  monitoringPolicy: z.enum(['pre', 'post', 'both', 'local', 'all']).optional(),
  statisticsTimeout: z.int().min(15).max(65535).optional(),
});

/** Fields that instances of cluster and node configs and of overrides share. */
export const bgpInstanceFields = {
  name: entryName,
  localASN: asn.optional(),
  /** Unset: connects, and does not listen. */
  localPort: z.int().min(1).max(65535).optional(),
};
