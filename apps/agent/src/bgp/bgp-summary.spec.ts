import type { PeerMode, PeerRow } from '@isthmus/model';
import { bgpSummary, nodesByMode } from './bgp-summary.ts';
import type { BgpPeerView } from './bgp-view.ts';

const peer = (state: BgpPeerView['state']): BgpPeerView => ({ state }) as BgpPeerView;
const row = (node: string, mode: PeerMode): PeerRow => ({ cluster: 'west', clusterId: 2, node, mode, tx: 'closed' });

it('counts sessions apart from peers that are refused', () => {
  const peers = [peer('established'), peer('established'), peer('connect'), peer('refused')];
  expect(bgpSummary({ peers, learnedRoutes: 7, refusedRoutes: 1, draining: true })).toEqual({
    established: 2,
    sessions: 3,
    refusedPeers: 1,
    learnedRoutes: 7,
    refusedRoutes: 1,
    draining: true,
  });
});

it('counts a node once, however many addresses it has', () => {
  const rows: [string, PeerRow][] = [
    ['10.0.0.1', row('n1', 'native')],
    ['fd00::1', row('n1', 'native')],
    ['10.0.0.2', row('n2', 'tunnel')],
    ['10.0.0.3', row('n3', 'closed')],
  ];
  expect(nodesByMode(rows)).toEqual({ native: 1, tunnel: 1, closed: 1 });
  expect(nodesByMode([])).toEqual({ native: 0, tunnel: 0, closed: 0 });
});
