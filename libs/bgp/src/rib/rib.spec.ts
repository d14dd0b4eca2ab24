import fc from 'fast-check';
import { ACCEPT, Node, Session } from '../../testing/rib-session.ts';
import { asPathLength, asPathText } from '../attribute/as-path.codec.ts';
import { encodeAttributes } from '../attribute/attributes.codec.ts';
import type { PeerConnection } from '../session/peer-settings.ts';
import type { PeerRouting } from './rib.ts';
import type { RouteChange, RouteFollower } from './route-follower.ts';

const PREFIX = '192.0.2.0/24';

const nextHops = (changes: readonly RouteChange[]): Record<string, readonly string[] | 'gone'> =>
  Object.fromEntries(changes.map(({ prefix, route }) => [prefix, route?.nextHops.map(({ nextHop }) => nextHop) ?? 'gone']));

const paths = (node: Node) => [...node.rib.routes('ipv4')].flatMap(({ paths: all }) => all);

describe('Rib', () => {
  it('tells a follower of a route that came, changed and went, once each, and of nothing when all was pulled', async () => {
    const [a, b] = [new Node(1), new Node(2)];
    const session = new Session(a, b);
    const follower = b.rib.follow();
    let told = 0;
    follower.onChange(() => told++);
    a.rib.originate({ prefix: PREFIX });
    a.rib.originate({ prefix: '2001:db8::/32' }); // has no next hop over this session
    session.run();
    expect(told).toBe(0); // not in the middle of a change
    await Promise.resolve();
    expect([told, nextHops(follower.next(10))]).toEqual([1, { [PREFIX]: ['10.0.0.1'] }]);
    a.rib.originate({ prefix: PREFIX, attributes: { communities: [1] } });
    session.run();
    await Promise.resolve();
    expect(follower.next(10)).toEqual([]); // packets go the same way
    a.rib.withdraw(PREFIX);
    session.run();
    await Promise.resolve();
    expect(nextHops(follower.next(10))).toEqual({ [PREFIX]: 'gone' });
    expect(told).toBe(3);
    a.rib.originate({ prefix: PREFIX });
    session.run();
    expect(follower.next(10)).toHaveLength(1);
    await Promise.resolve();
    expect(told).toBe(3);
  });

  it.each([0, 1, 2])('lets a follower pull as soon as it is told, with %i others to be told, whatever comes and goes', async (others) => {
    const [a, us] = [new Node(1), new Node(9)];
    const sessions = [new Session(a, us), ...Array.from({ length: others }, (_, i) => new Session(us, new Node(2 + i)))];
    const follower = us.rib.follow();
    const seen: string[] = [];
    follower.onChange(() => {
      for (const { prefix, route } of follower.next(10)) seen.push(`${prefix} ${route ? 'is there' : 'is gone'}`);
    });
    const settle = async (): Promise<void> => {
      for (const session of sessions) session.run();
      await Promise.resolve();
    };
    for (let round = 0; round < 3; round++) {
      a.rib.originate({ prefix: PREFIX });
      await settle();
      a.rib.withdraw(PREFIX);
      await settle();
      a.rib.originate({ prefix: '198.51.100.0/24' }); // may get its number
      await settle();
      a.rib.withdraw('198.51.100.0/24');
      await settle();
    }
    const once = [`${PREFIX} is there`, `${PREFIX} is gone`, '198.51.100.0/24 is there', '198.51.100.0/24 is gone'];
    expect(seen).toEqual([...once, ...once, ...once]);
    expect(us.rib.size.prefixes).toBe(0);
  });

  it('takes nothing from an external peer without a policy, RFC 8212, until it has one; the session stays', () => {
    const [a, b] = [new Node(1), new Node(2)];
    const session = new Session(a, b, {});
    const follower = b.rib.follow();
    a.rib.originate({ prefix: PREFIX });
    session.run();
    expect(paths(b)).toMatchObject([{ from: '10.0.0.1', accepted: false, best: false }]);
    expect(follower.next(10)).toEqual([]);
    const settings: PeerConnection & PeerRouting & { address: string } = { address: '10.0.0.1', asn: a.asn, importPolicy: ACCEPT };
    b.rib.updatePeer(1, settings);
    b.rest();
    expect(nextHops(follower.next(10))).toEqual({ [PREFIX]: ['10.0.0.1'] });
    b.rib.updatePeer(1, { ...settings, importPolicy: { rules: [], otherwise: 'reject' } });
    b.rest();
    expect(nextHops(follower.next(10))).toEqual({ [PREFIX]: 'gone' });
  });

  it('says the next hops of equal cost, up to as many as are wanted', () => {
    const [left, right, far, us] = [new Node(1), new Node(2), new Node(3), new Node(4)];
    const sessions = [left, right, far].map((node) => new Session(node, us));
    const [several, one] = [us.rib.follow(8), us.rib.follow()];
    left.rib.originate({ prefix: PREFIX });
    right.rib.originate({ prefix: PREFIX });
    far.rib.originate({ prefix: PREFIX, attributes: { asPath: [{ type: 'sequence', asns: [64_512] }] } });
    for (const session of sessions) session.run();
    expect(nextHops(several.next(10))).toEqual({ [PREFIX]: ['10.0.0.1', '10.0.0.2'] });
    expect(nextHops(one.next(10))).toEqual({ [PREFIX]: ['10.0.0.1'] });
    sessions[0]!.down();
    expect(nextHops(several.next(10))).toEqual({ [PREFIX]: ['10.0.0.2'] });
  });

  it('keeps stale routes, and drops with a removed peer all that it sent', () => {
    const [a, b] = [new Node(1), new Node(2)];
    const session = new Session(b, a);
    a.rib.originate({ prefix: PREFIX });
    session.run();
    const follower = b.rib.follow();
    expect(follower.next(10)).toHaveLength(1);
    session.down('keep-stale');
    expect(paths(b)).toMatchObject([{ stale: true, best: true }]);
    expect(follower.next(10)).toEqual([]);
    b.rib.removePeer(session.peer);
    b.rest();
    expect([paths(b), nextHops(follower.next(10))]).toEqual([[], { [PREFIX]: 'gone' }]);
    expect(b.rib.addPeer({ address: '10.0.0.9', asn: 1 })).not.toBe(session.peer);
  });

  it('knows for how long a path is as it is: over a restart of its peer too, until it comes with other attributes', () => {
    const [a, b] = [new Node(1), new Node(2)];
    const session = new Session(a, b);
    const ages = (): number[] => [paths(a)[0]!.age, paths(b)[0]!.age, ...[...a.rib.advertised(session.peer, 'ipv4')].map(({ age }) => age)];
    const pass = (seconds: number): void => {
      for (const { clock } of [a, b]) clock.advance(seconds * 1000);
    };
    pass(100);
    a.rib.originate({ prefix: PREFIX });
    pass(2);
    session.run();
    pass(6);
    expect(ages()).toEqual([8, 6, 8]);
    session.down('keep-stale');
    session.up();
    session.run();
    expect(ages()).toEqual([8, 6, 8]);
    a.rib.originate({ prefix: PREFIX, attributes: { communities: [1] } });
    session.run();
    pass(1);
    expect(ages()).toEqual([1, 1, 1]);
  });

  it('gives a peer of two-octet AS numbers a path that comes out whole, RFC 6793', () => {
    const [a, b] = [new Node(1, 4_200_000_001), new Node(2)];
    const session = new Session(a, b, { importPolicy: ACCEPT }, { fourOctetAs: false });
    const attributes = {
      asPath: [{ type: 'sequence', asns: [64_512, 4_200_000_002] }],
      aggregator: { asn: 4_200_000_003, address: '10.0.0.1' },
    } as const;
    a.rib.originate({ prefix: PREFIX, attributes });
    session.run();
    expect(paths(b)).toMatchObject([
      { attributes: { asPath: [{ type: 'sequence', asns: [4_200_000_001, 64_512, 4_200_000_002] }], aggregator: attributes.aggregator } },
    ]);
  });

  it('passes on to external peers its own MED, and that of its policy, but no neighbour’s', () => {
    const [a, us, plain, told] = [new Node(1), new Node(2), new Node(3), new Node(4)];
    const policy = { rules: [{ action: 'accept', set: { med: 7 } }], otherwise: 'reject' } as const;
    const sessions = [new Session(a, us), new Session(us, plain), new Session(us, told, { importPolicy: ACCEPT, exportPolicy: policy })];
    a.rib.originate({ prefix: PREFIX, attributes: { med: 5 } });
    us.rib.originate({ prefix: '198.51.100.0/24', attributes: { med: 6 } });
    for (const session of sessions) session.run();
    const meds = (node: Node) =>
      Object.fromEntries([...node.rib.routes('ipv4')].map(({ prefix, paths: all }) => [prefix, all[0]!.attributes.med]));
    expect(meds(us)).toMatchObject({ [PREFIX]: 5 });
    expect(meds(plain)).toEqual({ [PREFIX]: undefined, '198.51.100.0/24': 6 });
    expect(meds(told)).toEqual({ [PREFIX]: 7, '198.51.100.0/24': 7 });
  });

  it('has last resorts lose against all else, tells them only to those that know what they are, and drops what asks for it, RFC 9494', () => {
    const [gone, us, other, plain, knows] = [new Node(1), new Node(2), new Node(3), new Node(4), new Node(5)];
    const longLived = { longLived: [{ family: 'ipv4', forwarding: true, seconds: 60 }] } as const;
    const [first, backup, toPlain, toKnows] = [
      new Session(us, gone),
      new Session(us, other),
      new Session(us, plain),
      new Session(us, knows, { importPolicy: ACCEPT }, longLived),
    ];
    const far = { asPath: [{ type: 'sequence', asns: [64_512, 64_513] }] } as const;
    const [both, alone, unkept] = [PREFIX, '198.51.100.0/24', '203.0.113.0/24'];
    for (const prefix of [both, alone]) gone.rib.originate({ prefix });
    gone.rib.originate({ prefix: unkept, attributes: { communities: [0xffff0007] } });
    other.rib.originate({ prefix: both, attributes: far });
    const all = [first, backup, toPlain, toKnows];
    const settle = (): void => {
      for (const session of all) session.run();
    };
    settle();
    const bestOf = (node: Node): Record<string, string> =>
      Object.fromEntries(
        [...node.rib.routes('ipv4')].map(({ prefix, paths: each }) => {
          const best = each.find((path) => path.best)!;
          const resort = best.attributes.communities?.includes(0xffff0006) ? ' (last resort)' : '';
          return [prefix, asPathText(best.attributes.asPath) + resort];
        }),
      );
    expect(bestOf(us)).toEqual({ [both]: '65001', [alone]: '65001', [unkept]: '65001' });
    first.down('keep-stale');
    us.rib.keepLongLived(first.peer, 'ipv4');
    us.rest();
    settle();
    expect(bestOf(us)).toEqual({ [both]: '65003 64512 64513', [alone]: '65001 (last resort)' });
    expect(bestOf(plain)).toEqual({ [both]: '65002 65003 64512 64513' });
    expect(bestOf(knows)).toEqual({ [both]: '65002 65003 64512 64513', [alone]: '65002 65001 (last resort)' });
    us.rib.updatePeer(first.peer, { address: '10.0.0.1', asn: gone.asn, importPolicy: ACCEPT });
    us.rest();
    expect(bestOf(us)).toMatchObject({ [alone]: '65001 (last resort)' });
    first.up();
    settle();
    expect(bestOf(us)).toEqual({ [both]: '65001', [alone]: '65001', [unkept]: '65001' });
    expect(bestOf(plain)).toEqual({ [both]: '65002 65001', [alone]: '65002 65001', [unkept]: '65002 65001' });
  });

  it('tells a route whose attributes need a long message only to a peer that takes those, RFC 8654', () => {
    const [a, long, short] = [new Node(1), new Node(2), new Node(3)];
    const sessions = [new Session(a, long, { importPolicy: ACCEPT }, { extendedMessage: true }), new Session(a, short)];
    const asns = Array.from({ length: 2_000 }, (_, i) => 100_000 + i);
    a.rib.originate({ prefix: PREFIX, attributes: { asPath: [{ type: 'sequence', asns }] } });
    a.rib.originate({ prefix: '198.51.100.0/24' });
    for (const session of sessions) session.run();
    const lengths = (node: Node): Record<string, number> =>
      Object.fromEntries([...node.rib.routes('ipv4')].map(({ prefix, paths: [path] }) => [prefix, asPathLength(path!.attributes.asPath)]));
    expect(lengths(long)).toEqual({ [PREFIX]: 2_001, '198.51.100.0/24': 1 });
    expect(lengths(short)).toEqual({ '198.51.100.0/24': 1 });
  });

  it.each([true, false])(
    'sends all again when asked, and with marks (%s) the peer drops what is not among it, RFC 7313',
    (enhancedRouteRefresh) => {
      const [a, b] = [new Node(1), new Node(2)];
      const session = new Session(a, b, { importPolicy: ACCEPT }, { enhancedRouteRefresh });
      for (const prefix of [PREFIX, '198.51.100.0/24']) a.rib.originate({ prefix });
      session.run();
      const reach = [
        { family: 'ipv4', bytes: Uint8Array.of(24, 203, 0, 113), addPath: false, nextHop: Uint8Array.of(10, 0, 0, 1) },
      ] as const;
      session.slip({ withdrawn: [], reach, attributes: encodeAttributes({ origin: 0, asPath: [], nextHop: '' }), faults: [] });
      const follower = b.rib.follow();
      expect(follower.next(10)).toHaveLength(3);
      session.refresh();
      expect(session.marks).toEqual(enhancedRouteRefresh ? ['begin ipv4', 'end ipv4'] : []);
      expect(nextHops(follower.next(10))).toEqual(enhancedRouteRefresh ? { '203.0.113.0/24': 'gone' } : {});
      expect(paths(b).some(({ stale }) => stale)).toBe(false);
    },
  );

  it('tells a peer that takes them all paths of a prefix, and each change of one, RFC 7911', () => {
    const [left, right, us, all] = [new Node(1), new Node(2), new Node(3), new Node(4)];
    const sessions = [
      new Session(left, us),
      new Session(right, us),
      new Session(us, all, { importPolicy: ACCEPT }, { addPath: true, enhancedRouteRefresh: true }),
    ];
    const settle = (): string[] => {
      for (const session of sessions) session.run();
      const seen = paths(all);
      expect(new Set(seen.map(({ pathId }) => pathId)).size).toBe(seen.length);
      return seen.map(({ attributes }) => `${asPathText(attributes.asPath)} ${attributes.communities ?? ''}`.trim()).sort();
    };
    for (const node of [left, right]) node.rib.originate({ prefix: PREFIX });
    expect(settle()).toEqual(['65003 65001', '65003 65002']);
    left.rib.originate({ prefix: PREFIX, attributes: { communities: [7] } });
    expect(settle()).toEqual(['65003 65001 7', '65003 65002']);
    sessions[2]!.refresh();
    expect(settle()).toEqual(['65003 65001 7', '65003 65002']);
    right.rib.withdraw(PREFIX);
    expect(settle()).toEqual(['65003 65001 7']);
    expect(us.rib.counts(sessions[2]!.peer).advertised).toEqual({ ipv4: 1, ipv6: 0 });
    sessions[0]!.down();
    expect(settle()).toEqual([]);
  });

  it.each([false, true])('brings a peer all that it may have, several paths: %s, whatever comes and goes (property)', (addPath) => {
    const step = fc.oneof(
      fc.record({ announce: fc.nat(2), prefix: fc.nat(3), med: fc.nat(1) }),
      fc.record({ withdraw: fc.nat(2), prefix: fc.nat(3) }),
      fc.record({ bounce: fc.nat(3) }),
      fc.record({ refresh: fc.constant(true) }),
      fc.record({ tell: fc.nat(3) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const us = new Node(9);
        const sources = [new Node(1), new Node(2), new Node(3)];
        const receiver = new Node(4);
        const sessions = [
          ...sources.map((node) => new Session(node, us)),
          new Session(us, receiver, { importPolicy: ACCEPT }, addPath ? { addPath } : {}),
        ];
        for (const each of steps) {
          const prefixOf = (n: number): string => `10.${n}.0.0/16`;
          if ('announce' in each) sources[each.announce]!.rib.originate({ prefix: prefixOf(each.prefix), attributes: { med: each.med } });
          else if ('withdraw' in each) sources[each.withdraw]!.rib.withdraw(prefixOf(each.prefix));
          else if ('refresh' in each) us.rib.refresh(sessions[3]!.peer, 'ipv4');
          else if ('tell' in each) sessions[each.tell]!.run();
          else {
            sessions[each.bounce]!.down();
            sessions[each.bounce]!.up();
          }
        }
        for (const session of sessions) session.run();
        const wanted = [...us.rib.routes('ipv4')].flatMap(({ prefix, paths: every }) =>
          every.flatMap(({ best, accepted, attributes }) => {
            return (addPath ? accepted : best) ? [`${prefix} 65009 ${asPathText(attributes.asPath)}`] : [];
          }),
        );
        const has = [...receiver.rib.routes('ipv4')].flatMap(({ prefix, paths: every }) =>
          every.map(({ attributes }) => `${prefix} ${asPathText(attributes.asPath)}`),
        );
        expect(has.sort()).toEqual(wanted.sort());
        for (const session of sessions.slice(0, 3)) session.down();
        sessions[3]!.run();
        expect(us.rib.size).toEqual({ prefixes: 0, attributeSets: 0 });
      }),
      { numRuns: 200 },
    );
  });

  it('has followers that know what the table says, whatever comes and goes (property)', () => {
    const peer = fc.nat(2);
    const step = fc.oneof(
      fc.record({ announce: peer, prefix: fc.nat(5), med: fc.nat(1) }),
      fc.record({ withdraw: peer, prefix: fc.nat(5) }),
      fc.record({ bounce: peer }),
      fc.record({ pull: fc.integer({ min: 1, max: 3 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const us = new Node(9);
        const others = [new Node(1), new Node(2), new Node(3)];
        const sessions = others.map((node) => new Session(node, us));
        const follower = us.rib.follow(2);
        const known = new Map<string, string>();
        const pull = (most: number): boolean => take(follower, known, most);
        for (const each of steps) {
          const prefixOf = (n: number): string => `10.${n}.0.0/16`;
          if ('announce' in each) others[each.announce]!.rib.originate({ prefix: prefixOf(each.prefix), attributes: { med: each.med } });
          else if ('withdraw' in each) others[each.withdraw]!.rib.withdraw(prefixOf(each.prefix));
          else if ('pull' in each) pull(each.pull);
          else {
            sessions[each.bounce]!.down();
            sessions[each.bounce]!.up();
          }
          for (const session of sessions) session.run();
        }
        while (pull(2));
        const best = [...us.rib.routes('ipv4')].flatMap(({ prefix, paths: all }) => {
          const from = all.find((path) => path.best)?.from;
          return from === undefined ? [] : [[prefix, from] as const];
        });
        expect(new Map(known)).toEqual(new Map(best));
      }),
      { numRuns: 200 },
    );
  });
});

/** Pulls changes into what is known: peer by prefix. */
function take(follower: RouteFollower, known: Map<string, string>, most: number): boolean {
  const changes = follower.next(most);
  for (const { prefix, route } of changes) {
    if (route === undefined) known.delete(prefix);
    else known.set(prefix, route.from);
  }
  return changes.length > 0;
}
