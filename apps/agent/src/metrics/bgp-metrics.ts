import type { MetricSet } from '@isthmus/core';
import type { BgpApi } from '../api/bgp-routes.ts';
import type { BgpPeerView } from '../bgp/bgp-view.ts';
import { ROUTE_REFUSALS } from '../bgp/learned-routes.ts';
import type { AGENT_METRICS } from './metric-list.ts';

type PeerLabels = Readonly<Record<'vrouter' | 'neighbor' | 'neighbor_asn', string>>;
type RouteLabels = PeerLabels & Readonly<Record<'afi' | 'safi', string>>;

/** What the metrics of BGP are read from. */
export interface BgpMetricSource {
  /** Undefined until BGP runs. */
  readonly bgp: BgpApi | undefined;
  readonly learnedRoutes: number;
}

/** Metrics of the node's BGP. Nothing is counted before BGP runs. */
export function measureBgp(metrics: MetricSet<typeof AGENT_METRICS>, source: () => BgpMetricSource): void {
  const peers = (): readonly BgpPeerView[] => source().bgp?.peers() ?? [];
  metrics.read('cilium_bgp_control_plane_session_state', () =>
    sessionsOf(peers()).map((peer) => [peerLabels(peer), peer.state === 'established' ? 1 : 0]),
  );
  metrics.read('cilium_bgp_control_plane_advertised_routes', () => routeCounts(peers(), 'advertised'));
  metrics.read('cilium_bgp_control_plane_received_routes', () => routeCounts(peers(), 'received'));
  metrics.read('isthmus_bgp_learned_routes', () => [[{}, source().learnedRoutes]]);
  metrics.read('isthmus_bgp_refused_routes', () => refusedRoutes(source().bgp));
  metrics.read('isthmus_bgp_refused_peers', () => [[{}, peers().filter(({ state }) => state === 'refused').length]]);
}

/** A refused peer has no session, and may have the address of one that has. */
function sessionsOf(peers: readonly BgpPeerView[]): BgpPeerView[] {
  return peers.filter(({ state }) => state !== 'refused');
}

function routeCounts(peers: readonly BgpPeerView[], which: 'received' | 'advertised'): [RouteLabels, number][] {
  return sessionsOf(peers).flatMap((peer) =>
    peer.routes.map((route): [RouteLabels, number] => [{ ...peerLabels(peer), afi: route.family, safi: 'unicast' }, route[which]]),
  );
}

function refusedRoutes(bgp: BgpApi | undefined): [{ reason: string }, number][] {
  const counts = new Map<string, number>(ROUTE_REFUSALS.map((reason) => [reason, 0]));
  for (const reason of bgp?.refused().values() ?? []) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => [{ reason }, count]);
}

function peerLabels({ instance, address, peerAsn }: BgpPeerView): PeerLabels {
  return { vrouter: instance, neighbor: address, neighbor_asn: String(peerAsn) };
}
