import { DISCARD_PROTOCOL, DiscardSink, matchRoute, NetlinkSocket, withNetns } from '@isthmus/datapath';
import { Cleanup } from './cleanup.ts';
import { createNetns, type TestNetns } from './netns.ts';

const cleanup = new Cleanup();
const sink = new DiscardSink();
let netns: TestNetns;

beforeEach(() => {
  netns = cleanup.add(createNetns('discard'), (made) => made.remove());
  netns.ip('link add up0 type veth peer name tor0');
  for (const device of ['lo', 'up0', 'tor0']) netns.ip(`link set ${device} up`);
  netns.ip('address add 10.9.0.1/24 dev up0');
  netns.ip('address add fd09::1/64 dev up0 nodad');
  netns.ip('route add default via 10.9.0.2');
  netns.ip('-6 route add default via fd09::2');
});

afterEach(() => cleanup.run());

const update = (...keys: string[]): unknown[] =>
  withNetns(netns.path, () => [...sink.update(keys.map((key) => ({ key, row: true as const, revision: 1 })))]);
const remove = (...keys: string[]): unknown[] => withNetns(netns.path, () => [...sink.delete(keys)]);
const listed = (): string[] => withNetns(netns.path, () => [...sink.entries()].flat().map(({ key }) => key));
/** Where a packet goes: a next hop, a device, or nowhere. */
const way = (address: string): string | undefined => {
  const route = withNetns(netns.path, () => NetlinkSocket.using('route', undefined, (socket) => matchRoute(socket, address)));
  return route?.type === 'unicast' ? (route.via ?? 'its link') : undefined;
};

it('refuses what would go by the default route, and lists and takes back what it made', () => {
  expect(way('192.0.2.8')).toBe('10.9.0.2');
  expect(update('192.0.2.8/32', 'fd00::8/128', '10.8.0.0/27')).toEqual([]);
  expect(update('192.0.2.8/32')).toEqual([]);
  for (const address of ['192.0.2.8', 'fd00::8', '10.8.0.30']) expect(way(address)).toBeUndefined();
  expect(listed()).toEqual(['10.8.0.0/27', '192.0.2.8/32', 'fd00::8/128']);
  expect(remove('192.0.2.8/32', 'fd00::8/128', '10.8.0.0/27')).toEqual([]);
  expect(remove('192.0.2.8/32')).toEqual([]);
  expect(listed()).toEqual([]);
  expect(way('192.0.2.8')).toBe('10.9.0.2');
});

it('comes behind every way that somebody else set to the same prefix, and before what was learned', () => {
  netns.ip('route add 192.0.2.8/32 via 10.9.0.7 metric 1024');
  netns.ip('-6 route add fd00::8/128 via fd09::7');
  netns.ip('route add 192.0.2.9/32 via 10.9.0.7 metric 8192 proto 196');
  expect(update('192.0.2.8/32', 'fd00::8/128', '192.0.2.9/32', '10.9.0.0/24')).toEqual([]);
  expect(way('192.0.2.8')).toBe('10.9.0.7');
  expect(way('fd00::8')).toBe('fd09::7');
  expect(way('192.0.2.9')).toBeUndefined();
  expect(way('10.9.0.2')).toBe('its link');
  remove('192.0.2.8/32', 'fd00::8/128');
  expect(netns.exec('ip route show 192.0.2.8')).toContain('via 10.9.0.7');
  expect(listed()).toEqual(['10.9.0.0/24', '192.0.2.9/32']);
});

it("touches nobody else's refusals", () => {
  netns.ip('route add unreachable 192.0.2.8/32 metric 5');
  update('192.0.2.8/32');
  remove('192.0.2.8/32');
  expect(netns.exec('ip route show 192.0.2.8')).toContain('unreachable');
  expect(DISCARD_PROTOCOL).toBe(197);
});
