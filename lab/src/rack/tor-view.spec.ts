import { parseBirdRoutes, parseBirdSession } from './bird-view.ts';
import { parseFrrRoutes, parseFrrSession } from './frr-view.ts';
import type { RackSession } from './rack-session.ts';

const session = (name: string, peer: string, toNode = true): RackSession => ({
  name,
  family: 'ipv4',
  own: '172.22.2.2',
  peer,
  peerAsn: 65021,
  device: 'port0',
  toNode,
});
const SESSIONS = [
  session('west_n1_up0_ipv4', '172.22.2.3'),
  session('west_n1_up1_ipv4', '172.22.2.5'),
  session('rs_ipv4', '172.20.0.1', false),
];

const BIRD_ROUTES = `BIRD 2.0.12 ready.
Table master4:
10.2.0.0/24          unicast [west_n1_up0_ipv4 14:09:49.308] * (100) [AS65021i]
	via 172.22.2.3 on port0
	Type: BGP univ
	BGP.origin: IGP
	BGP.as_path: 65021 65030
	BGP.next_hop: 172.22.2.3 fe80::1
	BGP.med: 5
	BGP.local_pref: 0
	BGP.community: (65535,0) (65000,7)
	BGP.large_community: (65000, 1, 2)
                     unicast [rs_ipv4 14:09:51.313 from 172.20.0.1] (100) [AS65011i]
	via 172.20.0.11 on fabric
	Type: BGP univ
	BGP.as_path: 65101
	BGP.next_hop: 172.20.0.11
	BGP.local_pref: 100
`;

describe('what BIRD says', () => {
  it('of routes', () => {
    expect(parseBirdRoutes('10.2.0.0/24', BIRD_ROUTES, SESSIONS)).toEqual([
      {
        prefix: '10.2.0.0/24',
        peer: '172.22.2.3',
        nextHop: '172.22.2.3',
        asPath: [65021, 65030],
        communities: ['65535:0', '65000:7'],
        largeCommunities: ['65000:1:2'],
        localPreference: 0,
        med: 5,
        best: true,
      },
      {
        prefix: '10.2.0.0/24',
        peer: '172.20.0.1',
        nextHop: '172.20.0.11',
        asPath: [65101],
        communities: [],
        largeCommunities: [],
        localPreference: 100,
        best: false,
      },
    ]);
  });

  it('of no route', () => {
    expect(parseBirdRoutes('10.9.0.0/24', 'BIRD 2.0.12 ready.\nNetwork not found\n', SESSIONS)).toEqual([]);
  });

  it('of a session', () => {
    const protocol = `west_n1_up0_ipv4 BGP        ---        up     14:09:49.237  Established
  BGP state:          Established
    Neighbor address: 172.22.2.3%port0
  Channel ipv4
    State:          UP
    Routes:         3 imported, 1 exported, 1 preferred
`;
    const bfd = 'bfd1:\nIP address   Interface  State\n172.22.2.3   port0      Up   14:09:48.830    0.050    0.150\n';
    const [up = session('', ''), other = session('', '')] = SESSIONS;
    expect(parseBirdSession(up, protocol, bfd)).toEqual({ established: true, state: 'Established', bfd: 'up', received: 3, lastError: '' });
    const failed = '  BGP state:          Active\n    Last error:       Socket: Connection reset by peer\n';
    expect(parseBirdSession(other, failed, bfd)).toEqual({
      established: false,
      state: 'Active',
      bfd: 'down',
      received: 0,
      lastError: 'Socket: Connection reset by peer',
    });
  });
});

describe('what FRR says', () => {
  const path = (rest: object) => ({
    aspath: { string: '65011', segments: [{ type: 'as-sequence', list: [65011] }], length: 1 },
    valid: true,
    nexthops: [{ ip: '172.22.1.3', afi: 'ipv4', used: true }],
    peer: { peerId: '172.22.1.3', routerId: '172.21.1.11' },
    ...rest,
  });

  it('of routes', () => {
    const paths = [
      path({ locPrf: 0, metric: 5, community: { string: '', list: ['gracefulShutdown', '65000:7'] }, bestpath: { overall: true } }),
      path({
        largeCommunity: { list: ['65000:1:2'] },
        nexthops: [
          { ip: 'fe80::1', scope: 'link-local' },
          { ip: 'fd22::3', scope: 'global' },
        ],
      }),
    ];
    const [first, second] = parseFrrRoutes('10.1.0.0/24', JSON.stringify({ paths }));
    expect(first).toEqual({
      prefix: '10.1.0.0/24',
      peer: '172.22.1.3',
      nextHop: '172.22.1.3',
      asPath: [65011],
      communities: ['65535:0', '65000:7'],
      largeCommunities: [],
      localPreference: 0,
      med: 5,
      best: true,
    });
    expect(second).toMatchObject({ nextHop: 'fd22::3', largeCommunities: ['65000:1:2'], best: false });
  });

  it('of no route', () => {
    expect(parseFrrRoutes('10.9.0.0/24', '{\n}\n')).toEqual([]);
    expect(parseFrrRoutes('10.9.0.0/24', '')).toEqual([]);
  });

  it('of a session', () => {
    const one = session('east_n1_up0_ipv4', '172.22.1.3');
    const up = { bgpState: 'Established', peerBfdInfo: { status: 'Up' }, addressFamilyInfo: { ipv4Unicast: { acceptedPrefixCounter: 2 } } };
    expect(parseFrrSession(one, JSON.stringify({ '172.22.1.3': up }))).toMatchObject({ established: true, bfd: 'up', received: 2 });
    const down = { bgpState: 'Active', lastResetDueTo: 'BFD down received' };
    expect(parseFrrSession(one, JSON.stringify({ '172.22.1.3': down }))).toEqual({
      established: false,
      state: 'Active',
      bfd: 'down',
      received: 0,
      lastError: 'BFD down received',
    });
  });
});
