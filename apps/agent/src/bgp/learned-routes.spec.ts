import { type NextHop, Rib, type RouteFollower } from '@isthmus/bgp';
import { ManualClock, Store } from '@isthmus/core';
import { LEARNED_ROUTE_PROTOCOL, LEARNED_SCOPE, type Route } from '@isthmus/datapath';
import type { LearnedRouteRow } from '@isthmus/model';
import { parseCidr } from '@isthmus/net';
import { LearnedRoutes } from './learned-routes.ts';
import { resolveHop } from './next-hops.ts';

/** A follower of routes that the test says. */
class Said {
  readonly #changes: { prefix: string; hops: string[] | undefined }[] = [];
  #listener: () => void = () => undefined;
  closed = false;

  say(prefix: string, ...hops: string[]): void {
    this.#changes.push({ prefix, hops: hops.length === 0 ? undefined : hops });
    this.#listener();
  }

  get follower(): RouteFollower {
    return {
      onChange: (listener: () => void) => {
        this.#listener = listener;
      },
      next: (most: number) =>
        this.#changes.splice(0, most).map(({ prefix, hops }) => ({
          prefix,
          family: 'ipv4',
          route: hops && { own: hops[0] === 'own', from: 'tor', nextHops: hops.map((nextHop) => ({ nextHop })), attributes: {} },
        })),
      close: () => {
        this.closed = true;
      },
    } as unknown as RouteFollower;
  }
}

function fixture() {
  const store = new Store(new ManualClock());
  const writer = store.table<LearnedRouteRow>('learned-routes');
  writer.declare(LEARNED_SCOPE);
  let unreachable: string[] = [];
  let own = ['10.1.0.0/24'];
  const learned = new LearnedRoutes({
    store,
    writer,
    ownCidrs: () => own.map((text) => parseCidr(text)!),
    resolve: ({ nextHop }) => (unreachable.includes(nextHop) ? [] : [{ address: nextHop, device: 7 }]),
    later: (run) => run(),
  });
  const said = new Said();
  learned.follow('rack', said.follower);
  const rows = (): Record<string, string[]> =>
    Object.fromEntries([...writer.table.rows()].map(([prefix, { nextHops }]) => [prefix, nextHops.map(({ address }) => address)]));
  return {
    store,
    learned,
    said,
    rows,
    writer,
    cut: (...hops: string[]) => {
      unreachable = hops;
      learned.reconsider();
    },
    setOwn: (...cidrs: string[]) => {
      own = cidrs;
      learned.reconsider();
    },
  };
}

describe('learned routes', () => {
  it('are the best routes, with all their next hops, until they are gone', () => {
    const { said, rows } = fixture();
    said.say('10.2.0.0/24', '192.0.2.2', '192.0.2.1'); // the same, whichever is the best
    said.say('10.3.0.0/24', '192.0.2.1');
    said.say('10.4.0.0/24', 'own');
    expect(rows()).toEqual({ '10.2.0.0/24': ['192.0.2.1', '192.0.2.2'], '10.3.0.0/24': ['192.0.2.1'] });
    said.say('10.2.0.0/24', '192.0.2.2');
    said.say('10.3.0.0/24');
    expect(rows()).toEqual({ '10.2.0.0/24': ['192.0.2.2'] });
  });

  it('are not those to own pods, nor to what no neighbour has a say in; why is told', () => {
    const { learned, said, rows, setOwn } = fixture();
    for (const prefix of ['10.1.0.0/24', '10.1.0.5/32', '127.0.0.0/8', '224.0.0.5/32', 'fe80::/64', '10.0.0.0/8', '0.0.0.0/0'])
      said.say(prefix, '192.0.2.1');
    expect(Object.keys(rows())).toEqual(['10.0.0.0/8', '0.0.0.0/0']);
    expect(Object.fromEntries(learned.refused)).toEqual({
      '10.1.0.0/24': 'own-pod-cidr',
      '10.1.0.5/32': 'own-pod-cidr',
      '127.0.0.0/8': 'martian',
      '224.0.0.5/32': 'martian',
      'fe80::/64': 'martian',
    });
    setOwn('10.9.0.0/24');
    expect(Object.keys(rows())).toContain('10.1.0.5/32');
    said.say('127.0.0.0/8');
    expect(learned.refused.has('127.0.0.0/8')).toBe(false);
  });

  it('wait for a next hop that is out of reach, and do without one of several', () => {
    const { learned, said, rows, cut } = fixture();
    said.say('10.2.0.0/24', '192.0.2.1', '192.0.2.2');
    cut('192.0.2.1');
    expect(rows()).toEqual({ '10.2.0.0/24': ['192.0.2.2'] });
    cut('192.0.2.1', '192.0.2.2');
    expect([rows(), learned.refused.get('10.2.0.0/24')]).toEqual([{}, 'unreachable-next-hop']);
    cut();
    expect([rows(), learned.refused.size]).toEqual([{ '10.2.0.0/24': ['192.0.2.1', '192.0.2.2'] }, 0]);
  });

  it('stay from an earlier run until all peers have said what they have', () => {
    const { learned, said, rows, writer } = fixture();
    const row = { nextHops: [{ address: '192.0.2.9', device: 7 }] };
    learned.adopt([
      ['10.2.0.0/24', row],
      ['10.3.0.0/24', row],
      ['10.4.0.0/24', row],
    ]);
    said.say('10.2.0.0/24', '192.0.2.1');
    said.say('10.3.0.0/24', '192.0.2.1');
    said.say('10.3.0.0/24');
    expect(rows()).toEqual({ '10.2.0.0/24': ['192.0.2.1'], '10.3.0.0/24': ['192.0.2.1'], '10.4.0.0/24': ['192.0.2.9'] });
    expect(writer.table.scopes.isSynced(LEARNED_SCOPE)).toBe(false);
    learned.complete(LEARNED_SCOPE);
    expect([rows(), writer.table.scopes.isSynced(LEARNED_SCOPE)]).toEqual([{ '10.2.0.0/24': ['192.0.2.1'] }, true]);
    said.say('10.2.0.0/24');
    expect(rows()).toEqual({});
  });

  it('of a speaker that is gone go; of one that is only followed no more they stay', () => {
    const { learned, said, rows } = fixture();
    const other = new Said();
    learned.follow('second', other.follower);
    said.say('10.2.0.0/24', '192.0.2.1');
    other.say('10.2.0.0/24', '192.0.2.2');
    other.say('10.3.0.0/24', '192.0.2.2');
    expect(rows()).toEqual({ '10.2.0.0/24': ['192.0.2.1'], '10.3.0.0/24': ['192.0.2.2'] });
    learned.forget('rack');
    expect([rows(), said.closed]).toEqual([{ '10.2.0.0/24': ['192.0.2.2'], '10.3.0.0/24': ['192.0.2.2'] }, true]);
    learned.leave('second');
    expect([Object.keys(rows()).length, other.closed]).toEqual([2, true]);
  });

  it('come from a real table in parts, none of them lost', async () => {
    const { learned, rows } = fixture();
    const rib = new Rib({ asn: 65_001, routerId: '10.0.0.1', clock: new ManualClock(), later: (run) => run() });
    for (let i = 0; i < 2_500; i++) rib.originate({ prefix: `10.${i >> 8}.${i & 255}.0/24`, attributes: { nextHop: '192.0.2.1' } });
    learned.follow('real', rib.follow());
    await Promise.resolve();
    expect(Object.keys(rows())).toHaveLength(0); // own ones are nobody's to learn
  });
});

describe('next hops', () => {
  const routes: Record<string, Route> = {
    '192.0.2.1': { destination: '192.0.2.0/31', type: 'unicast', device: 7, protocol: 2 },
    '198.51.100.1': { destination: '198.51.100.0/24', type: 'unicast', via: '192.0.2.1', device: 7, protocol: 4 },
    '198.51.100.2': {
      destination: '198.51.100.0/24',
      type: 'unicast',
      hops: [
        { via: '192.0.2.1', device: 7 },
        { via: '192.0.2.3', device: 8 },
      ],
      protocol: 4,
    },
    '203.0.113.1': { destination: '0.0.0.0/0', type: 'unicast', via: '192.0.2.1', device: 7, protocol: 4 },
    '203.0.113.2': { destination: '203.0.113.2/32', type: 'unicast', via: '192.0.2.1', device: 7, protocol: LEARNED_ROUTE_PROTOCOL },
    '10.0.0.1': { destination: '10.0.0.1/32', type: 'local', device: 1, protocol: 2 },
    'fe80::1%up0': { destination: 'fe80::/64', type: 'unicast', device: 9, protocol: 2 },
    'fd00::1': { destination: 'fd00::/127', type: 'unicast', device: 9, protocol: 2 },
  };
  const resolve = (hop: NextHop) =>
    resolveHop(hop, (address, device) => routes[device === undefined ? address : `${address}%${device}`], LEARNED_ROUTE_PROTOCOL);

  it.each([
    ['one on a link', { nextHop: '192.0.2.1' }, [{ address: '192.0.2.1', device: 7 }]],
    ['one behind a gateway', { nextHop: '198.51.100.1' }, [{ address: '192.0.2.1', device: 7 }]],
    [
      'one behind several',
      { nextHop: '198.51.100.2' },
      [
        { address: '192.0.2.1', device: 7 },
        { address: '192.0.2.3', device: 8 },
      ],
    ],
    ['one with a link-local address', { nextHop: 'fd00::1', linkLocal: 'fe80::7' }, [{ address: 'fe80::7', device: 9 }]],
    ['a link-local one', { nextHop: 'fe80::1%up0' }, [{ address: 'fe80::1', device: 9 }]],
    ['a link-local one beside one that nothing leads to', { nextHop: '::', linkLocal: 'fe80::1%up0' }, [{ address: 'fe80::1', device: 9 }]],
    ['one that only the default route leads to', { nextHop: '203.0.113.1' }, []],
    ['one that only a learned route leads to', { nextHop: '203.0.113.2' }, []],
    ['the node itself', { nextHop: '10.0.0.1' }, []],
    ['one that nothing leads to', { nextHop: '192.0.2.200' }, []],
  ])('%s', (_, hop, expected) => {
    expect(resolve(hop)).toEqual(expected);
  });
});
