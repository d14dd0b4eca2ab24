import { asPathText, type PathAttributes, type PeerStatus, type Policy, type RoutedFamily } from '@isthmus/bgp';
import type { BgpApi } from '../api/bgp-routes.ts';
import type { AgentTables } from '../tables/agent-tables.ts';
import type { AgentBgp } from './agent-bgp.ts';
import { bgpSummary } from './bgp-summary.ts';
import { isTag } from './export-policy.ts';
import type { RunningSpeaker } from './running-speaker.ts';

const FAMILIES: readonly RoutedFamily[] = ['ipv4', 'ipv6'];
const ORIGINS = ['igp', 'egp', 'incomplete'] as const;

/** One session, or why there is none. */
export interface BgpPeerView {
  readonly instance: string;
  /** Empty for a peer that came from a range. */
  readonly peer: string;
  readonly localAsn: number;
  /** As configured; the peer's own word where that is 0 and the session is up. */
  readonly peerAsn: number;
  readonly address: string;
  readonly port: number;
  /** `refused` where there cannot be one as it is configured. */
  readonly state: PeerStatus['state'] | 'refused';
  readonly uptimeSeconds?: number;
  readonly holdTimeSeconds?: number;
  readonly keepaliveSeconds?: number;
  readonly routes: readonly { readonly family: RoutedFamily; readonly received: number; readonly advertised: number }[];
  /** Families whose routes are kept while the peer restarts. */
  readonly stale: readonly RoutedFamily[];
  readonly authenticated: boolean;
  /** Why the session is not up, or was not before. */
  readonly lastError?: string;
}

/** One path, as people see it. */
export interface BgpRouteView {
  readonly instance: string;
  readonly family: RoutedFamily;
  readonly prefix: string;
  /** Address of the peer that it is from or goes to; empty for own routes. */
  readonly peer: string;
  readonly best: boolean;
  readonly accepted: boolean;
  readonly stale: boolean;
  /** For how long it is known as it is. */
  readonly ageSeconds: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Which routes: those that this node announces, those that a peer was told of, those that came in. */
export type BgpRouteKind = 'available' | 'advertised' | 'received';

/** A policy of a peer. */
export interface BgpPolicyView {
  readonly instance: string;
  readonly peer: string;
  readonly type: 'import' | 'export';
  readonly policy: Policy;
}

/** All sessions, and those that there cannot be. */
export function peerViews(bgp: AgentBgp, tables: AgentTables): BgpPeerView[] {
  const views = [...bgp.speakers.running.values()].flatMap((speaker) =>
    speaker.speaker.status().map((status) => peerView(speaker, status)),
  );
  return [...views, ...refusedViews(tables)].sort((a, b) =>
    `${a.instance} ${a.peer} ${a.address}` < `${b.instance} ${b.peer} ${b.address}` ? -1 : 1,
  );
}

function peerView({ name, row, rib, peers }: RunningSpeaker, status: PeerStatus): BgpPeerView {
  const { address, state, uptimeMs, holdTime, asn, lastError, stale, number } = status;
  const configured = [...peers.values()].find((each) => each.address === address);
  const { received, advertised } = rib.counts(number);
  return {
    instance: name,
    peer: configured?.name ?? '',
    localAsn: row.asn,
    peerAsn: configured?.connection.asn || (asn ?? 0),
    address,
    port: configured?.connection.port ?? 179,
    state,
    ...(uptimeMs !== undefined && { uptimeSeconds: Math.floor(uptimeMs / 1000) }),
    ...(holdTime !== undefined && {
      holdTimeSeconds: holdTime,
      keepaliveSeconds: Math.min(configured?.connection.keepaliveTime ?? Number.POSITIVE_INFINITY, Math.floor(holdTime / 3)),
    }),
    routes: FAMILIES.filter((family) => (status.families ?? configured?.connection.families ?? FAMILIES).includes(family)).map((family) => {
      return { family, received: received[family], advertised: advertised[family] };
    }),
    stale,
    authenticated: configured?.password !== undefined,
    ...(lastError !== undefined && state !== 'established' && { lastError }),
  };
}

function refusedViews({ bgp }: AgentTables): BgpPeerView[] {
  return [...bgp.refusals.rows()].map(([key, { reason }]) => {
    // Peers of a mesh have a slash in their names.
    const [instance = '', ...parts] = key.split('/');
    const peer = parts.join('/');
    const configured = bgp.sources.instances.table.get(instance)?.peers?.find(({ name }) => name === peer);
    return {
      instance,
      peer,
      localAsn: bgp.speakers.get(instance)?.asn ?? 0,
      peerAsn: configured?.peerASN ?? 0,
      address: configured?.peerAddress ?? '',
      port: 179,
      state: 'refused',
      routes: [],
      stale: [],
      authenticated: false,
      lastError: reason,
    };
  });
}

/** Routes of a kind, of one peer (by address or name) where one is given. */
export function* routeViews(bgp: AgentBgp, kind: BgpRouteKind, wantedPeer: string): Generator<BgpRouteView> {
  for (const speaker of bgp.speakers.running.values()) {
    if (kind === 'advertised') yield* advertisedViews(speaker, wantedPeer);
    else yield* listedViews(speaker, kind, wantedPeer);
  }
}

function* listedViews({ name, rib, peers }: RunningSpeaker, kind: BgpRouteKind, wantedPeer: string): Generator<BgpRouteView> {
  const address = peers.get(wantedPeer)?.address ?? wantedPeer;
  for (const family of FAMILIES) {
    for (const { prefix, paths } of rib.routes(family)) {
      for (const { from, own, best, accepted, stale, age, attributes } of paths) {
        if (own !== (kind === 'available') || (address !== '' && from !== address)) continue;
        yield {
          instance: name,
          family,
          prefix,
          peer: from,
          best,
          accepted,
          stale,
          ageSeconds: age,
          attributes: attributesView(attributes),
        };
      }
    }
  }
}

function* advertisedViews({ name, rib, speaker, peers }: RunningSpeaker, wantedPeer: string): Generator<BgpRouteView> {
  const wanted = peers.get(wantedPeer)?.address ?? wantedPeer;
  for (const { address, number, state } of speaker.status()) {
    if (state !== 'established' || (wanted !== '' && wanted !== address)) continue;
    for (const family of FAMILIES) {
      for (const { prefix, age, attributes } of rib.advertised(number, family)) {
        const flags = { best: true, accepted: true, stale: false, ageSeconds: age };
        yield { instance: name, family, prefix, peer: address, ...flags, attributes: attributesView(attributes) };
      }
    }
  }
}

function attributesView(attributes: PathAttributes): Record<string, unknown> {
  const { origin, asPath, nextHop, communities, largeCommunities, extendedCommunities, unknown, ...rest } = attributes;
  const large = (largeCommunities ?? []).filter((one) => !isTag(one));
  return {
    origin: ORIGINS[origin],
    asPath: asPathText(asPath),
    nextHop,
    ...rest,
    ...(communities && { communities: communities.map((number) => `${number >>> 16}:${number & 0xffff}`) }),
    ...(large.length > 0 && { largeCommunities: large.map(({ global, local1, local2 }) => `${global}:${local1}:${local2}`) }),
    ...(extendedCommunities && { extendedCommunities: extendedCommunities.map((number) => `0x${number.toString(16).padStart(16, '0')}`) }),
    ...(unknown && { unknown: unknown.map(({ type, flags, value }) => ({ type, flags, value: Buffer.from(value).toString('hex') })) }),
  };
}

/** Policies of all peers. */
export function policyViews(bgp: AgentBgp): BgpPolicyView[] {
  return [...bgp.speakers.running.values()].flatMap(({ name, policies }) =>
    [...policies].flatMap(([peer, { importPolicy, exportPolicy }]) => [
      { instance: name, peer, type: 'import' as const, policy: importPolicy },
      { instance: name, peer, type: 'export' as const, policy: exportPolicy },
    ]),
  );
}

/** All of it as the API wants it. */
export function bgpApi(bgp: AgentBgp, tables: AgentTables): BgpApi {
  return {
    peers: () => peerViews(bgp, tables),
    routes: (kind, peer) => routeViews(bgp, kind, peer),
    policies: () => policyViews(bgp),
    refused: () => bgp.learned.refused,
    summary: () =>
      bgpSummary({
        peers: peerViews(bgp, tables),
        learnedRoutes: tables.sources.learnedRoutes.table.size,
        refusedRoutes: bgp.learned.refused.size,
        draining: bgp.speakers.draining,
      }),
    get draining() {
      return bgp.speakers.draining;
    },
    setDraining: (draining) => bgp.setDraining(draining),
  };
}
