import { MetricSet, prometheusText } from '@isthmus/core';
import type { BgpApi } from '../api/bgp-routes.ts';
import type { BgpPeerView } from '../bgp/bgp-view.ts';
import { measureBgp } from './bgp-metrics.ts';
import { AGENT_METRICS } from './metric-list.ts';

const peer = (fields: Partial<BgpPeerView>): BgpPeerView => ({
  instance: 'main',
  peer: 'tor',
  localAsn: 65001,
  peerAsn: 65101,
  address: '192.0.2.1',
  port: 179,
  state: 'established',
  routes: [],
  stale: [],
  authenticated: false,
  ...fields,
});

async function bgpLines(bgp: Partial<BgpApi> | undefined, learnedRoutes = 0): Promise<string[]> {
  const metrics = new MetricSet(AGENT_METRICS);
  measureBgp(metrics, () => ({ bgp: bgp as BgpApi | undefined, learnedRoutes }));
  const { body } = await prometheusText(metrics);
  return body.split('\n').filter((line) => /^(cilium|isthmus)_bgp_/.test(line));
}

it('tells of each session and of each family of it, and counts what is refused', async () => {
  const peers = [
    peer({
      routes: [
        { family: 'ipv4', received: 4, advertised: 1 },
        { family: 'ipv6', received: 3, advertised: 2 },
      ],
    }),
    peer({ address: 'fd00::1', state: 'connect' }),
    peer({ peer: 'again', address: '192.0.2.9', state: 'refused' }),
  ];
  const refused = new Map([['10.1.0.0/24', 'own-pod-cidr']]);
  expect(await bgpLines({ peers: () => peers, refused: () => refused }, 7)).toEqual([
    'cilium_bgp_control_plane_session_state{vrouter="main",neighbor="192.0.2.1",neighbor_asn="65101"} 1',
    'cilium_bgp_control_plane_session_state{vrouter="main",neighbor="fd00::1",neighbor_asn="65101"} 0',
    'cilium_bgp_control_plane_advertised_routes{vrouter="main",neighbor="192.0.2.1",neighbor_asn="65101",afi="ipv4",safi="unicast"} 1',
    'cilium_bgp_control_plane_advertised_routes{vrouter="main",neighbor="192.0.2.1",neighbor_asn="65101",afi="ipv6",safi="unicast"} 2',
    'cilium_bgp_control_plane_received_routes{vrouter="main",neighbor="192.0.2.1",neighbor_asn="65101",afi="ipv4",safi="unicast"} 4',
    'cilium_bgp_control_plane_received_routes{vrouter="main",neighbor="192.0.2.1",neighbor_asn="65101",afi="ipv6",safi="unicast"} 3',
    'isthmus_bgp_learned_routes 7',
    'isthmus_bgp_refused_routes{reason="own-pod-cidr"} 1',
    'isthmus_bgp_refused_routes{reason="martian"} 0',
    'isthmus_bgp_refused_routes{reason="unreachable-next-hop"} 0',
    'isthmus_bgp_refused_peers 1',
  ]);
});

it('has zeros before BGP runs', async () => {
  const lines = await bgpLines(undefined);
  expect(lines).toHaveLength(5);
  for (const line of lines) expect(line).toMatch(/ 0$/);
});
