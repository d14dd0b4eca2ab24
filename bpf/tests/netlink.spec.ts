import { execFileSync } from 'node:child_process';
import { isCoded } from '@isthmus/core';
import * as nl from '../../libs/datapath/src/adapters/netlink/index.ts';
import { NETNS_MISSING } from '../../libs/datapath/src/adapters/netns.ts';

const NODE = `isthnl-${process.pid}-n`;
const POD = `isthnl-${process.pid}-p`;
const path = (name: string): string => `/run/netns/${name}`;

/** What `ip -j` says inside a namespace: the oracle. */
// biome-ignore lint/suspicious/noExplicitAny: the shape of iproute2's JSON is its own affair
function ip(netns: string, ...args: string[]): any[] {
  const out = execFileSync('ip', ['-n', netns, '-j', '-d', ...args]).toString();
  return out.trim() === '' ? [] : JSON.parse(out);
}

const linkNamed = (netns: string, name: string) => ip(netns, 'link', 'show', 'dev', name)[0];
const code = (fn: () => unknown): string => {
  try {
    fn();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'nothing thrown';
};

let socket: nl.NetlinkSocket;

beforeEach(() => {
  for (const name of [NODE, POD]) execFileSync('ip', ['netns', 'add', name]);
  socket = nl.NetlinkSocket.open('route', path(NODE));
});

afterEach(() => {
  socket.close();
  for (const name of [NODE, POD]) execFileSync('ip', ['netns', 'del', name]);
});

const pair = (over: Partial<nl.VethEnd> = {}): nl.VethPair => ({
  near: { name: 'isth0badcafe', mtu: 1450, mac: '02:00:00:00:00:01', altnames: ['a-name-longer-than-fifteen-bytes'], ...over },
  peer: { name: 'eth0', mtu: 1450, mac: '02:00:00:00:00:02', netns: path(POD) },
});

describe('veth', () => {
  it('is born with names, addresses and MTU on both sides', () => {
    const near = nl.ensureVeth(socket, pair());
    expect(linkNamed(NODE, 'isth0badcafe')).toMatchObject({
      ifindex: near.index,
      mtu: 1450,
      address: '02:00:00:00:00:01',
      altnames: ['a-name-longer-than-fifteen-bytes'],
      linkinfo: { info_kind: 'veth' },
      link_index: linkNamed(POD, 'eth0').ifindex,
    });
    expect(linkNamed(POD, 'eth0')).toMatchObject({ mtu: 1450, address: '02:00:00:00:00:02', link_index: near.index });
    expect(near).toMatchObject({ name: 'isth0badcafe', kind: 'veth', mtu: 1450, up: false, peerElsewhere: true });
    expect(nl.getLink(socket, 'a-name-longer-than-fifteen-bytes')?.index).toBe(near.index);
  });

  it('again is fine and brings settings in line', () => {
    const near = nl.ensureVeth(socket, pair());
    expect(nl.ensureVeth(socket, pair()).index).toBe(near.index);
    expect(nl.ensureVeth(socket, pair({ mtu: 1400, mac: '02:00:00:00:00:09' }))).toMatchObject({ index: near.index, mtu: 1400 });
    expect(linkNamed(NODE, 'isth0badcafe')).toMatchObject({ mtu: 1400, address: '02:00:00:00:00:09' });
  });

  it('with both ends in one namespace', () => {
    const near = nl.ensureVeth(socket, { near: { name: 'isth_host' }, peer: { name: 'isth_net' } });
    expect(linkNamed(NODE, 'isth_net').link).toBe('isth_host');
    expect(near.peerElsewhere).toBe(false);
    expect(nl.ensureVeth(socket, { near: { name: 'isth_host' }, peer: { name: 'isth_net' } }).index).toBe(near.index);
    expect(code(() => nl.ensureVeth(socket, { near: { name: 'isth_host' }, peer: { name: 'other' } }))).toBe('NETLINK_CONFLICT');
  });

  it('refuses names that are taken and leaves what is there', () => {
    nl.ensureVeth(socket, pair());
    const same = { ...pair(), near: { name: 'isth1' } };
    expect(code(() => nl.ensureVeth(socket, same))).toBe('NETLINK_CONFLICT');
    expect(nl.getLink(socket, 'isth1')).toBeUndefined();
    expect(code(() => nl.ensureVeth(socket, { near: { name: 'lo' }, peer: { name: 'x' } }))).toBe('NETLINK_CONFLICT');
  });

  it('does not take the peer of another pair for its own', () => {
    nl.ensureVeth(socket, pair());
    nl.ensureVeth(socket, { near: { name: 'isth1' }, peer: { name: 'x0', netns: path(POD) } });
    const crossed = { ...pair(), peer: { name: 'x0', netns: path(POD) } };
    expect(code(() => nl.ensureVeth(socket, crossed))).toBe('NETLINK_CONFLICT');
  });

  it('leaves an altname that belongs to another link', () => {
    nl.ensureVeth(socket, pair());
    const other = nl.ensureVeth(socket, {
      near: { name: 'isth1', altnames: ['a-name-longer-than-fifteen-bytes', 'free'] },
      peer: { name: 'p1' },
    });
    expect(other.altnames).toEqual(['free']);
    expect(nl.addAltname(socket, other.index, 'a-name-longer-than-fifteen-bytes')).toBe(false);
    expect(nl.addAltname(socket, other.index, 'free')).toBe(true);
  });

  it('names the namespace that is missing', () => {
    try {
      nl.ensureVeth(socket, { near: { name: 'x' }, peer: { name: 'y', netns: '/run/netns/isthnl-absent' } });
      throw new Error('did not throw');
    } catch (error) {
      expect(isCoded(error, NETNS_MISSING)).toBe(true);
      expect((error as Error).message).toContain('/run/netns/isthnl-absent');
    }
  });
});

describe('link', () => {
  it('is listed, set up and down, deleted; twice is fine', () => {
    nl.ensureVeth(socket, pair());
    nl.setLink(socket, 'isth0badcafe', { up: true, mtu: 1300 });
    expect(linkNamed(NODE, 'isth0badcafe').flags).toContain('UP');
    expect(nl.listLinks(socket).map((l) => [l.name, l.mtu, l.up])).toEqual(
      ip(NODE, 'link').map((l) => [l.ifname, l.mtu, l.flags.includes('UP')]),
    );
    nl.setLink(socket, 'isth0badcafe', { up: false });
    expect(linkNamed(NODE, 'isth0badcafe').flags).not.toContain('UP');
    expect(nl.deleteLink(socket, 'isth0badcafe')).toBe(true);
    expect(nl.deleteLink(socket, 'isth0badcafe')).toBe(false);
    expect(ip(POD, 'link').map((l) => l.ifname)).not.toContain('eth0');
  });

  it('errors name the link and what to do', () => {
    try {
      nl.setLink(socket, 'nosuch', { up: true });
      throw new Error('did not throw');
    } catch (error) {
      expect(error).toMatchObject({ code: 'NETLINK_ABSENT', object: 'nosuch', errno: 'ENODEV' });
    }
    try {
      nl.setLink(socket, 'lo', { mtu: 2 ** 31 });
      throw new Error('did not throw');
    } catch (error) {
      expect((error as Error).message).toBe('cannot set {"mtu":2147483648} on link lo: EINVAL (mtu less than device minimum)');
    }
  });
});

describe('address', () => {
  it.each(['10.1.2.3/24', '10.1.2.3/32', 'fd00::5/64', 'fd00::5/128'])('%s is added, listed and deleted; twice is fine', (address) => {
    const { index } = nl.ensureVeth(socket, { near: { name: 'h' }, peer: { name: 'p' } });
    nl.setLink(socket, 'h', { up: true });
    nl.ensureAddress(socket, index, address);
    nl.ensureAddress(socket, index, address);
    const family = address.includes(':') ? 'inet6' : 'inet';
    const seen = ip(NODE, 'addr', 'show', 'dev', 'h')[0].addr_info.filter((a: { scope: string }) => a.scope !== 'link');
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ family, local: address.split('/')[0], prefixlen: Number(address.split('/')[1]) });
    if (family === 'inet6') expect(seen[0]).toMatchObject({ nodad: true });
    expect(seen[0]).not.toHaveProperty('tentative');
    expect(nl.listAddresses(socket, index)).toContainEqual({ index, address });
    expect(nl.deleteAddress(socket, index, address)).toBe(true);
    expect(nl.deleteAddress(socket, index, address)).toBe(false);
    expect(nl.listAddresses(socket, index).filter((a) => a.address === address)).toEqual([]);
  });

  it('can do without the prefix route', () => {
    const { index } = nl.ensureVeth(socket, { near: { name: 'h' }, peer: { name: 'p' } });
    for (const end of ['h', 'p']) nl.setLink(socket, end, { up: true });
    nl.ensureAddress(socket, index, '10.1.2.3/24', { noPrefixRoute: true });
    expect(ip(NODE, 'route')).toEqual([]);
  });
});

describe('route', () => {
  let device: number;
  beforeEach(() => {
    device = nl.ensureVeth(socket, { near: { name: 'h' }, peer: { name: 'p' } }).index;
    for (const end of ['h', 'p']) nl.setLink(socket, end, { up: true });
    nl.ensureAddress(socket, device, '10.0.0.1/24');
    nl.ensureAddress(socket, device, 'fd00::1/64');
  });

  const cases: [string, () => nl.Route, string[], object][] = [
    [
      'by gateway',
      () => ({ destination: '10.9.0.0/16', via: '10.0.0.2', device, protocol: 201 }),
      ['10.9.0.0/16'],
      { gateway: '10.0.0.2' },
    ],
    [
      'on the link',
      () => ({ destination: '10.9.0.5/32', device, protocol: 201, source: '10.0.0.1' }),
      ['10.9.0.5'],
      { scope: 'link', prefsrc: '10.0.0.1' },
    ],
    [
      'on-link gateway with MTU',
      () => ({ destination: '10.8.0.0/16', via: '192.0.2.1', device, onlink: true, mtu: 1400, protocol: 201 }),
      ['10.8.0.0/16'],
      { flags: ['onlink'], metrics: [{ mtu: 1400 }] },
    ],
    ['default', () => ({ destination: '0.0.0.0/0', via: '10.0.0.2', device, protocol: 201 }), ['default'], { gateway: '10.0.0.2' }],
    [
      'IPv4 by an IPv6 gateway',
      () => ({ destination: '10.7.0.0/16', via: 'fd00::2', device, protocol: 201 }),
      ['10.7.0.0/16'],
      { via: { family: 'inet6', host: 'fd00::2' } },
    ],
    [
      'IPv6 by gateway',
      () => ({ destination: 'fd09::/32', via: 'fd00::2', device, metric: 50, protocol: 201 }),
      ['-6', 'fd09::/32'],
      { gateway: 'fd00::2', metric: 50 },
    ],
    [
      'IPv6 on the link',
      () => ({ destination: 'fd09::7/128', device, mtu: 1380, protocol: 201 }),
      ['-6', 'fd09::7'],
      { metrics: [{ mtu: 1380 }] },
    ],
    [
      'in another table',
      () => ({ destination: '10.9.0.0/16', via: '10.0.0.2', device, table: 2000, protocol: 201 }),
      ['table', '2000'],
      { gateway: '10.0.0.2' },
    ],
    ['unreachable', () => ({ destination: '10.6.0.0/16', type: 'unreachable', protocol: 201 }), ['10.6.0.0/16'], { type: 'unreachable' }],
  ];

  it.each(cases)('%s is set, listed and deleted; twice is fine', (_, make, [first = '', ...rest], seen) => {
    const route = make();
    nl.replaceRoute(socket, route);
    nl.replaceRoute(socket, route);
    const show = first === '-6' ? ['-6', 'route', 'show', ...rest] : ['route', 'show', first, ...rest];
    const routes = ip(NODE, ...show);
    expect(routes).toHaveLength(1);
    expect(routes[0]).toMatchObject({ protocol: '201', ...seen });
    const listed = nl.listRoutes(socket, { protocol: 201 });
    expect(listed).toHaveLength(1);
    expect(listed[0]).toMatchObject(route);
    expect(nl.deleteRoute(socket, route)).toBe(true);
    expect(nl.deleteRoute(socket, route)).toBe(false);
    expect(nl.listRoutes(socket, { protocol: 201 })).toEqual([]);
  });

  it.each([
    ['10.9.0.0/16', '10.0.0.2', '10.0.0.3'],
    ['fd09::/32', 'fd00::2', 'fd00::3'],
  ])('%s is replaced, not doubled, when its next hop changes', (destination, before, after) => {
    nl.replaceRoute(socket, { destination, via: before, device, protocol: 201 });
    nl.replaceRoute(socket, { destination, via: after, device, protocol: 201 });
    nl.replaceRoute(socket, { destination, device, protocol: 201 });
    nl.replaceRoute(socket, { destination, via: before, device, protocol: 201 });
    expect(nl.listRoutes(socket, { protocol: 201 })).toMatchObject([{ destination, via: before }]);
  });

  it('filters by family, table and protocol; deletes only its own protocol', () => {
    nl.replaceRoute(socket, { destination: '10.9.0.0/16', via: '10.0.0.2', device, protocol: 201, table: 300 });
    nl.replaceRoute(socket, { destination: 'fd09::/32', via: 'fd00::2', device, protocol: 201 });
    nl.replaceRoute(socket, { destination: '10.8.0.0/16', via: '10.0.0.2', device, protocol: 202 });
    const names = (filter: nl.RouteFilter) => nl.listRoutes(socket, filter).map((r) => r.destination);
    expect(names({ protocol: 201 })).toEqual(['10.9.0.0/16', 'fd09::/32']);
    expect(names({ protocol: 201, family: 6 })).toEqual(['fd09::/32']);
    expect(names({ table: 300 })).toEqual(['10.9.0.0/16']);
    expect(nl.deleteRoute(socket, { destination: '10.8.0.0/16', protocol: 201 })).toBe(false);
    expect(names({ protocol: 202 })).toEqual(['10.8.0.0/16']);
  });

  it('lists thousands of them', () => {
    for (let i = 0; i < 3000; i++) nl.replaceRoute(socket, { destination: `10.100.${i >> 8}.${i & 255}/32`, device, protocol: 201 });
    expect(new Set(nl.listRoutes(socket, { protocol: 201 }).map((r) => r.destination)).size).toBe(3000);
  });
});

describe('neighbour', () => {
  it.each(['10.0.0.9', 'fd00::9'])('%s is set for good, replaced and deleted; twice is fine', (address) => {
    const { index } = nl.ensureVeth(socket, { near: { name: 'h' }, peer: { name: 'p' } });
    nl.setLink(socket, 'h', { up: true });
    nl.replaceNeighbour(socket, { index, ip: address, mac: '02:00:00:00:00:08' });
    nl.replaceNeighbour(socket, { index, ip: address, mac: '02:00:00:00:00:09' });
    expect(ip(NODE, 'neigh')).toMatchObject([{ dst: address, dev: 'h', lladdr: '02:00:00:00:00:09', state: ['PERMANENT'] }]);
    expect(nl.listNeighbours(socket, index)).toEqual([{ index, ip: address, mac: '02:00:00:00:00:09' }]);
    expect(nl.deleteNeighbour(socket, { index, ip: address })).toBe(true);
    expect(nl.deleteNeighbour(socket, { index, ip: address })).toBe(false);
    expect(nl.listNeighbours(socket, index)).toEqual([]);
  });
});

describe('sysctl', () => {
  it('is that of the namespace, not ours', () => {
    const before = nl.readSysctl(undefined, 'ipv4/ip_forward');
    const other = before === '1' ? '0' : '1';
    nl.writeSysctl(path(NODE), 'ipv4/ip_forward', other);
    expect(nl.readSysctl(path(NODE), 'ipv4/ip_forward')).toBe(other);
    expect(nl.readSysctl(undefined, 'ipv4/ip_forward')).toBe(before);
    expect(execFileSync('ip', ['netns', 'exec', NODE, 'cat', '/proc/sys/net/ipv4/ip_forward']).toString().trim()).toBe(other);
  });

  it('reaches devices with a dot in their name, and names what is missing', () => {
    nl.ensureVeth(socket, { near: { name: 'h.1' }, peer: { name: 'p' } });
    nl.writeSysctl(path(NODE), 'ipv6/conf/h.1/disable_ipv6', 1);
    expect(nl.readSysctl(path(NODE), 'ipv6/conf/h.1/disable_ipv6')).toBe('1');
    expect(code(() => nl.readSysctl(path(POD), 'ipv6/conf/h.1/disable_ipv6'))).toBe('SYSCTL_FAILED');
    expect(() => nl.readSysctl(undefined, '../kernel/hostname')).toThrow(RangeError);
  });
});
