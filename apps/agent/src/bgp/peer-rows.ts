import type { PeerRouting, Policy, PolicyRule, RoutedFamily } from '@isthmus/bgp';
import {
  type BgpNodeInstance,
  type BgpNodePeer,
  type BgpPeerSpec,
  type BgpRouteImport,
  importedLengths,
  matchesSelector,
  parseCommunity,
  peerBfd,
  peerFamilies,
  peerMultihop,
  peerPort,
  peerRestartSeconds,
  peerRouteImport,
  peerTimers,
} from '@isthmus/model';
import { canonicalIp } from '@isthmus/net';
import type { Entries } from './advertised.ts';
import type { BgpExport, BgpPeerRow, BgpPeerSettings, BgpRangeRow } from './bgp-rows.ts';
import { SecretText } from './secret-text.ts';

/** What peers of an instance are made of. */
export interface PeerInputs {
  /** Spec of the peer config that is referred to; undefined when there is none of that name. */
  config(name: string): { spec: NonNullable<BgpPeerSpec> } | undefined;
  /** Password of a secret; undefined when it is not there, or has no `password`. */
  password(secret: string): string | undefined;
  readonly entries: Entries;
  /** Address of the gateway of a family, with its device where it is link-local; undefined when there is none. */
  gateway(family: RoutedFamily): string | undefined;
  /** The node's own addresses, empty where it has none of a family: what other nodes of the AS reach it by. */
  readonly nodeAddresses: { readonly [F in RoutedFamily]: string };
  /** Link-local address of the neighbour on an interface, with its zone; undefined while nobody is known there. */
  neighbour(device: string): string | undefined;
}

/** Interfaces whose neighbour is a peer of an instance. */
export function unnumberedInterfaces({ peers = [] }: BgpNodeInstance): readonly string[] {
  return peers.flatMap(({ autoDiscovery }) => (autoDiscovery?.mode === 'Unnumbered' ? [autoDiscovery.unnumbered!.interface] : []));
}

/** A peer, or a range of them, or why there is none. */
export type PeerOutcome = { peer: Omit<BgpPeerRow, 'instance'> } | { range: BgpRangeRow } | { refused: string };

/** The peer as a speaker is to have it. Whatever is missing refuses it: nobody gets a session that is weaker than was asked for. */
export function peerOutcome(instance: BgpNodeInstance, peer: BgpNodePeer, inputs: PeerInputs): PeerOutcome {
  const reference = peer.peerConfigRef?.name;
  const found = reference === undefined ? { spec: undefined } : inputs.config(reference);
  if (found === undefined) return { refused: `there is no CiliumBGPPeerConfig ${reference}` };
  const { spec } = found;
  const password = spec?.authSecretRef === undefined ? undefined : inputs.password(spec.authSecretRef);
  if (spec?.authSecretRef !== undefined && !password)
    return { refused: `its password is missing: no secret ${spec.authSecretRef} with a key \`password\` in the namespace of BGP secrets` };
  const settings = settingsOf(instance, peer, spec, inputs, password);
  if (peer.peerRange !== undefined) return { range: { ...settings, network: peer.peerRange } };
  const address = addressOf(peer, inputs);
  if (address === undefined) return { refused: 'its address is not known yet' };
  const bfd = peerBfd(spec);
  return { peer: { ...settings, name: peer.name, address, ...(bfd && { bfd }) } };
}

function addressOf({ peerAddress, peerInterface, autoDiscovery }: BgpNodePeer, { gateway, neighbour }: PeerInputs): string | undefined {
  if (peerAddress !== undefined) {
    const address = canonicalIp(peerAddress) ?? peerAddress;
    return peerInterface === undefined ? address : `${address}%${peerInterface}`;
  }
  if (autoDiscovery?.mode === 'Unnumbered') return neighbour(autoDiscovery.unnumbered!.interface);
  return autoDiscovery?.mode === 'DefaultGateway' ? gateway(autoDiscovery.defaultGateway!.addressFamily) : undefined;
}

function settingsOf(
  instance: BgpNodeInstance,
  peer: BgpNodePeer,
  spec: BgpPeerSpec,
  { entries, nodeAddresses }: PeerInputs,
  password: string | undefined,
): BgpPeerSettings {
  const { localASN = 0 } = instance;
  const asn = peer.peerASN ?? 0;
  const timers = peerTimers(spec);
  const restartTime = peerRestartSeconds(spec);
  const multihop = peerMultihop(spec);
  const families = peerFamilies(spec).flatMap(({ afi, safi }) => (safi === 'unicast' && (afi === 'ipv4' || afi === 'ipv6') ? [afi] : []));
  const { addPath, gtsmHops, maxPrefixes, med, prepend } = spec ?? {};
  const retry = spec?.timers?.connectRetryTimeSeconds;
  const client = peer.routeReflectorClient ?? spec?.routeReflectorClient;
  return {
    connection: {
      asn,
      port: peerPort(spec),
      families,
      holdTime: timers.holdSeconds,
      keepaliveTime: timers.keepAliveSeconds,
      // What the library does by itself is sooner than the two minutes of RFC 4271, which is what nobody who sets nothing waits for.
      ...(retry !== undefined && { connectRetryMs: retry * 1000 }),
      ...(peer.localAddress !== undefined && { localAddress: peer.localAddress }),
      ...(gtsmHops !== undefined ? { gtsmHops } : asn !== localASN && multihop > 1 && { multihop }),
      ...(restartTime !== undefined && { gracefulRestart: { restartTime } }),
      ...(addPath && { addPath: { send: addPath.send ?? false, receive: addPath.receive ?? false } }),
    },
    routing: {
      importPolicy: importPolicy(peerRouteImport(spec)),
      // Inside the AS one session carries both families, and a next hop may be anywhere in it.
      ...(asn === localASN && { nextHops: ownNextHops(nodeAddresses) }),
      ...(client && { routeReflectorClient: true }),
      ...(maxPrefixes !== undefined && { maxPrefixes }),
    },
    ...(password !== undefined && { password: new SecretText(password) }),
    ...(med !== undefined && { med }),
    ...(prepend !== undefined && { prepend }),
    exports: { ipv4: exportOf(spec, 'ipv4', entries), ipv6: exportOf(spec, 'ipv6', entries) },
  };
}

function ownNextHops({ ipv4, ipv6 }: PeerInputs['nodeAddresses']): NonNullable<PeerRouting['nextHops']> {
  return { ...(ipv4 !== '' && { ipv4 }), ...(ipv6 !== '' && { ipv6 }) };
}

/** Entries of the advertisements that a family selects. */
function exportOf(spec: BgpPeerSpec, family: RoutedFamily, entries: Entries): BgpExport {
  const selectors = peerFamilies(spec).flatMap(({ afi, safi, advertisements }) =>
    afi === family && safi === 'unicast' && advertisements ? [advertisements] : [],
  );
  return [...entries]
    .filter(([, { labels }]) => selectors.some((selector) => matchesSelector(selector, labels)))
    .map(([entry, { communities, largeCommunities, localPref }]) => {
      return { entry, communities, largeCommunities, ...(localPref !== undefined && { localPref }) };
    });
}

/** An import policy as a rule list of the library. */
export function importPolicy({ mode, rules = [] }: BgpRouteImport): Policy {
  if (mode === 'All') return { rules: [], otherwise: 'accept' };
  if (mode === 'None') return { rules: [], otherwise: 'reject' };
  return { rules: rules.map(importRule), otherwise: 'reject' };
}

function importRule({ action, prefixes, communities, asPathContains, set }: NonNullable<BgpRouteImport['rules']>[number]): PolicyRule {
  const asked = communitiesOf(communities);
  const added = communitiesOf(set?.addCommunities);
  return {
    action: action === 'Accept' ? 'accept' : 'reject',
    match: {
      ...(prefixes && { prefixes: prefixes.map((each) => ({ prefix: each.cidr, ...importedLengths(each) })) }),
      ...(asked.standard.length > 0 && { communities: asked.standard }),
      ...(asked.large.length > 0 && { largeCommunities: asked.large }),
      ...(asPathContains !== undefined && { asPathContains }),
    },
    ...(set && {
      set: {
        ...(set.localPreference !== undefined && { localPref: set.localPreference }),
        ...(set.med !== undefined && { med: set.med }),
        ...(added.standard.length > 0 && { addCommunities: added.standard }),
        ...(added.large.length > 0 && { addLargeCommunities: added.large }),
      },
    }),
  };
}

function communitiesOf(texts: readonly string[] = []) {
  const parsed = texts.map((text) => parseCommunity(text)).filter((community) => community !== undefined);
  return {
    standard: parsed.flatMap((community) => ('standard' in community ? [community.standard] : [])),
    large: parsed.flatMap((community) =>
      'large' in community ? [{ global: community.large[0], local1: community.large[1], local2: community.large[2] }] : [],
    ),
  };
}
