import { LEARNED_ROUTE_PROTOCOL, type Link, type Route } from '@isthmus/datapath';
import { type UnderlayFacts, underlayOf } from './node-addresses.ts';

const STATIC = 3;

const link = (index: number, name: string, mtu = 1500): Link => ({
  index,
  name,
  kind: '',
  mtu,
  mac: '',
  up: true,
  altnames: [`${name}-alt`],
  peerIndex: undefined,
  peerElsewhere: false,
  carrier: true,
  txQueueLength: 1000,
  data: Buffer.alloc(0),
});

const LINKS = [link(1, 'lo', 65536), link(2, 'up0'), link(3, 'up1', 1400)];
const addresses = (...all: [number, string][]) => all.map(([index, address]) => ({ index, address }));
const LOOPBACK = addresses([1, '127.0.0.1/8'], [1, '::1/128']);
const OWN = addresses([1, '10.0.0.9/32'], [1, 'fd00::9/128']);
const LINK_ADDRESSES = addresses([2, '172.22.1.3/31'], [2, 'fe80::2/64'], [2, 'fd22::3/127'], [3, '172.22.1.5/31'], [3, 'fd22::5/127']);

const hops = [
  { via: '172.22.1.2', device: 2 },
  { via: '172.22.1.4', device: 3 },
];
const route = (rest: Partial<Route>): Route => ({ destination: '0.0.0.0/0', protocol: STATIC, ...rest });

const config = { devices: [] as string[], 'node-ipv4': '', 'node-ipv6': '', mtu: 0 };
const find = (facts: Partial<UnderlayFacts>, changes: Partial<typeof config> = {}) => {
  const all = { links: LINKS, addresses: [...LOOPBACK, ...OWN, ...LINK_ADDRESSES], routes: [], ...facts };
  const { devices, ...rest } = underlayOf({ ...config, ...changes }, all);
  return { devices: devices.map(({ name }) => name), ...rest };
};

describe('how a node is attached', () => {
  it('is by the device of its default route, with the addresses there', () => {
    expect(find({ routes: [route({ via: '172.22.1.2', device: 2 })] })).toEqual({
      devices: ['up0'],
      ipv4: '172.22.1.3',
      ipv6: 'fd22::3',
      mtu: 1500,
    });
  });

  it('is by every device of a default route over several, with the smallest MTU', () => {
    expect(find({ routes: [route({ hops })] })).toMatchObject({ devices: ['up0', 'up1'], mtu: 1400 });
  });

  it('has the address that the default route says to send from, of each family', () => {
    const six = [
      { via: 'fd22::2', device: 2 },
      { via: 'fd22::4', device: 3 },
    ];
    const routes = [route({ hops, source: '10.0.0.9' }), route({ destination: '::/0', hops: six, source: 'fd00::9' })];
    expect(find({ routes })).toMatchObject({ ipv4: '10.0.0.9', ipv6: 'fd00::9' });
    expect(find({ routes }, { devices: ['up1'] })).toMatchObject({ devices: ['up1'], ipv4: '10.0.0.9' });
  });

  it('has the address on the loopback where the devices have none', () => {
    const found = find({ routes: [route({ device: 2 })], addresses: [...LOOPBACK, ...addresses([2, 'fe80::2/64']), ...OWN] });
    expect(found).toMatchObject({ ipv4: '10.0.0.9', ipv6: 'fd00::9' });
  });

  it('goes by the default route that is used, and not by one that was learned', () => {
    const used = route({ device: 3, via: '172.22.1.4', metric: 10, source: '172.22.1.5' });
    const worse = route({ device: 2, via: '172.22.1.2', metric: 100, source: '10.0.0.9' });
    const learned = route({ device: 2, via: '172.22.1.2', metric: 1, source: '10.0.0.9', protocol: LEARNED_ROUTE_PROTOCOL });
    expect(find({ routes: [learned, worse, used] })).toMatchObject({ devices: ['up1', 'up0'], ipv4: '172.22.1.5' });
    expect(find({ routes: [learned, used] })).toMatchObject({ devices: ['up1'], ipv4: '172.22.1.5' });
  });

  it('is as the configuration says', () => {
    const found = find({}, { devices: ['up1-alt'], 'node-ipv4': '192.0.2.1', 'node-ipv6': '2001:db8::1', mtu: 1300 });
    expect(found).toEqual({ devices: ['up1'], ipv4: '192.0.2.1', ipv6: '2001:db8::1', mtu: 1300 });
  });

  it('is told to be unknown when no device, no such device, or no address is there', () => {
    const unknown = expect.objectContaining({ code: 'NODE_DEVICE_UNKNOWN' });
    expect(() => find({})).toThrow(unknown);
    expect(() => find({}, { devices: ['eth9'] })).toThrow(unknown);
    expect(() => find({ routes: [route({ device: 2 })], addresses: LOOPBACK })).toThrow(unknown);
  });
});
