import {
  LEARNED_ROUTE_PROTOCOL,
  LEARNED_SCOPE,
  LearnedRouteSink,
  listLearnedRoutes,
  matchRoute,
  NetlinkSocket,
  withNetns,
} from '@isthmus/datapath';
import { Cleanup } from './cleanup.ts';
import { createNetns, type TestNetns } from './netns.ts';

const cleanup = new Cleanup();
const sink = new LearnedRouteSink();
let netns: TestNetns;

beforeEach(() => {
  netns = cleanup.add(createNetns('learned'), (made) => made.remove());
  netns.ip('link add up0 index 80 type veth peer name tor0');
  for (const device of ['up0', 'tor0']) netns.ip(`link set ${device} up`);
  netns.ip('address add 10.9.0.1/24 dev up0');
  netns.ip('address add fd09::1/64 dev up0 nodad');
});

afterEach(() => cleanup.run());

const update = (rows: Record<string, (string | { address: string; device: number })[]>): unknown[] =>
  withNetns(netns.path, () => {
    const keyed = Object.entries(rows).map(([key, hops]) => {
      return { key, row: { nextHops: hops.map((hop) => (typeof hop === 'string' ? { address: hop } : hop)) } };
    });
    return [...sink.update(keyed)];
  });

/** What the kernel lists under our number, spaces made one. */
const routes = (family: 4 | 6): string =>
  netns.exec(`ip -${family} route show proto ${LEARNED_ROUTE_PROTOCOL}`).trim().replace(/\s+/g, ' ');

const listed = (): unknown[] => withNetns(netns.path, () => [...sink.entries()].flat());

describe('LearnedRouteSink', () => {
  it('gives a route one next hop or several, changes them in place, and lists what is there', () => {
    expect(update({ '10.1.0.0/24': ['10.9.0.2'], 'fd01::/64': ['fd09::2', 'fd09::3'] })).toEqual([]);
    expect(routes(4)).toBe('10.1.0.0/24 via 10.9.0.2 dev up0 metric 8192');
    expect(routes(6)).toMatch(
      /^fd01::\/64 metric 8192( pref medium)? nexthop via fd09::2 dev up0 weight 1 nexthop via fd09::3 dev up0 weight 1/,
    );
    expect(update({ '10.1.0.0/24': ['10.9.0.3', '10.9.0.2'], 'fd01::/64': ['fd09::4'] })).toEqual([]);
    expect(routes(4)).toBe('10.1.0.0/24 metric 8192 nexthop via 10.9.0.3 dev up0 weight 1 nexthop via 10.9.0.2 dev up0 weight 1');
    expect(routes(6)).toMatch(/^fd01::\/64 via fd09::4 dev up0 metric 8192/);
    expect(listed()).toEqual([
      { key: '10.1.0.0/24', scope: LEARNED_SCOPE },
      { key: 'fd01::/64', scope: LEARNED_SCOPE },
    ]);
  });

  it('sends IPv4 to an IPv6 next hop, and to a link-local one over its device', () => {
    expect(update({ '10.1.0.0/24': ['fd09::2'], '10.2.0.0/24': [{ address: 'fe80::2', device: 80 }] })).toEqual([]);
    expect(routes(4)).toContain('10.1.0.0/24 via inet6 fd09::2 dev up0 metric 8192');
    expect(routes(4)).toContain('10.2.0.0/24 via inet6 fe80::2 dev up0 metric 8192');
  });

  it('names the route whose next hop is nowhere, and writes the others', () => {
    const [refused, ...more] = update({ '10.1.0.0/24': ['192.0.2.1'], '10.2.0.0/24': ['10.9.0.2'] }) as [string, Error][];
    expect([refused?.[0], more]).toEqual(['10.1.0.0/24', []]);
    expect(routes(4)).toBe('10.2.0.0/24 via 10.9.0.2 dev up0 metric 8192');
  });

  it("takes away what is named, several next hops too, and no route of another's", () => {
    netns.ip('route add 10.1.0.0/24 via 10.9.0.7 metric 20 proto bgp');
    netns.ip('-6 route add fd01::/64 via fd09::7 metric 21 proto static');
    update({ '10.2.0.0/24': ['10.9.0.2', '10.9.0.3'], 'fd01::/64': ['fd09::2', 'fd09::3'], 'fd02::/64': ['fd09::2'] });
    expect(withNetns(netns.path, () => [...sink.delete(['10.1.0.0/24', '10.2.0.0/24', 'fd01::/64'])])).toEqual([]);
    expect(listed()).toEqual([{ key: 'fd02::/64', scope: LEARNED_SCOPE }]);
    expect(netns.exec('ip route show 10.1.0.0/24')).toContain('proto bgp');
    expect(netns.exec('ip -6 route show fd01::/64')).toContain('proto static');
  });
});

describe('what an earlier run learned', () => {
  it('reads back as it was written', () => {
    const rows = {
      '10.1.0.0/24': [
        { address: '10.9.0.2', device: 80 },
        { address: '10.9.0.3', device: 80 },
      ],
      'fd01::/64': [{ address: 'fd09::2', device: 80 }],
    };
    update(rows);
    expect(Object.fromEntries(withNetns(netns.path, listLearnedRoutes))).toEqual({
      '10.1.0.0/24': { nextHops: rows['10.1.0.0/24'] },
      'fd01::/64': { nextHops: rows['fd01::/64'] },
    });
  });

  it('sends from the address that others know the node by', () => {
    netns.ip('address add 10.255.0.1/32 dev lo');
    const known = new LearnedRouteSink({ 4: '10.255.0.1', 6: '' });
    withNetns(netns.path, () => known.update([{ key: '10.1.0.0/24', row: { nextHops: [{ address: '10.9.0.2' }] } }]));
    expect(routes(4)).toContain('src 10.255.0.1');
  });

  it('stays behind every other route to the same prefix', () => {
    netns.ip('route add 10.1.0.0/24 via 10.9.0.7 metric 1024');
    netns.ip('-6 route add fd01::/64 via fd09::7');
    update({ '10.1.0.0/24': ['10.9.0.2'], '10.9.0.0/24': ['10.9.0.2'], 'fd01::/64': ['fd09::2'], 'fd09::/64': ['fd09::2'] });
    const way = (to: string): string => netns.exec(`ip route get ${to}`);
    expect(way('10.1.0.1')).toContain('via 10.9.0.7');
    expect(way('fd01::1')).toContain('via fd09::7');
    for (const connected of ['10.9.0.5', 'fd09::5']) expect(way(connected)).not.toContain('via');
  });
});

describe('matchRoute', () => {
  it('tells a connected network, a route behind a next hop, the default route and nothing apart', () => {
    netns.ip('route add 10.1.0.0/16 via 10.9.0.7');
    const match = (address: string) =>
      withNetns(netns.path, () => NetlinkSocket.using('route', undefined, (socket) => matchRoute(socket, address)));
    expect(match('10.9.0.5')).toMatchObject({ destination: '10.9.0.0/24', device: 80 });
    expect(match('10.9.0.5')).not.toHaveProperty('via');
    expect(match('fd09::5')).toMatchObject({ destination: 'fd09::/64', device: 80 });
    expect(match('10.1.2.3')).toMatchObject({ destination: '10.1.0.0/16', via: '10.9.0.7' });
    expect(match('10.9.0.1')).toMatchObject({ type: 'local' });
    expect([match('192.0.2.1') ?? 'none', match('2001:db8::1') ?? 'none']).toEqual(['none', 'none']);
    netns.ip('route add default via 10.9.0.7');
    expect(match('192.0.2.1')).toMatchObject({ destination: '0.0.0.0/0' });
  });
});
