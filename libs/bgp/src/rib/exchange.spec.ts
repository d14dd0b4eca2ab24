import { Ip } from '@isthmus/net';
import fc from 'fast-check';
import { PLAIN_SESSION } from '../../testing/plain-session.ts';
import { decodeAttributes, encodeAttributes } from '../attribute/attributes.codec.ts';
import type { PathAttributes } from '../attribute/path-attributes.ts';
import type { RoutedFamily } from '../family/routed-family.ts';
import { MESSAGE_TYPE, MessageFramer } from '../message/framing.ts';
import type { NlriRun, ParsedUpdate } from '../message/parsed-update.ts';
import { parseUpdate } from '../message/update.ts';
import { ACCEPT_ALL, type Policy, type PolicyActions } from '../policy/policy.ts';
import { rewritten } from './attribute-rewrite.ts';
import type { PeerUp, RibPeerSettings } from './rib-peer.ts';
import { RouteTable } from './route-table.ts';

const LOCAL_AS = 65_000;
const [NO_EXPORT, NO_ADVERTISE, GRACEFUL_SHUTDOWN] = [0xffff_ff01, 0xffff_ff02, 0xffff_0000];
const FAMILIES: readonly RoutedFamily[] = ['ipv4', 'ipv6'];
const SELF = { ipv4: address('10.0.0.254'), ipv6: address('fd00::fe') };
const PREFIXES = { ipv4: [24, 192, 0, 2], ipv6: [32, 0x20, 0x01, 0x0d, 0xb8] } as const;
const EXTERNAL: RibPeerSettings = { name: 'external', external: true, importPolicy: ACCEPT_ALL };
const INTERNAL: RibPeerSettings = { name: 'internal', external: false };

function address(text: string): Uint8Array {
  return Uint8Array.from(
    text.includes(':') ? [0xfd, ...new Array<number>(14).fill(0), text === 'fd00::fe' ? 0xfe : 9] : text.split('.').map(Number),
  );
}

let table: RouteTable;

beforeEach(() => {
  table = new RouteTable({ localAs: LOCAL_AS, routerId: 1, clusterId: 7 }, { decode: decodeAttributes, encode: encodeAttributes }, () => 0);
});

/** Adds a peer, and has it be up. */
function peer(settings: RibPeerSettings, id: number): number {
  const number = table.addPeer(settings);
  const up: PeerUp = { families: FAMILIES, routerId: id, remoteAddress: Uint8Array.of(10, 0, 0, id), nextHopSelf: SELF, maxMessage: 4096 };
  table.peerUp(number, up);
  return number;
}

function announced(family: RoutedFamily, attributes: Partial<PathAttributes>, nlri: readonly number[] = PREFIXES[family]): ParsedUpdate {
  const nextHop = family === 'ipv4' ? address('10.9.9.9') : address('fd00::9');
  const block = encodeAttributes({ origin: 0, asPath: [], nextHop: '', ...attributes });
  return { withdrawn: [], reach: [{ family, bytes: Uint8Array.from(nlri), addPath: false, nextHop }], attributes: block, faults: [] };
}

interface Told {
  /** Attributes by prefix in hexadecimal; undefined: withdrawn. */
  readonly routes: ReadonlyMap<string, PathAttributes | undefined>;
  readonly ends: readonly RoutedFamily[];
  readonly updates: number;
}

/** All that a peer is told now, as it reads it. */
function told(to: number, external: boolean): Told {
  const negotiated = { ...PLAIN_SESSION, external };
  const routes = new Map<string, PathAttributes | undefined>();
  const ends: RoutedFamily[] = [];
  let updates = 0;
  const framer = new MessageFramer();
  for (let bytes = table.nextUpdates(to, 4096); bytes; bytes = table.nextUpdates(to, 4096)) {
    framer.push(bytes);
    for (let message = framer.next(); message; message = framer.next()) {
      expect(message.type).toBe(MESSAGE_TYPE.update);
      updates++;
      const update = parseUpdate(message.body, negotiated);
      expect(update.faults).toEqual([]);
      if (update.endOfRib) ends.push(update.endOfRib);
      for (const run of update.withdrawn) for (const prefix of prefixes(run)) routes.set(prefix, undefined);
      for (const run of update.reach)
        for (const prefix of prefixes(run)) routes.set(prefix, decodeAttributes(update.attributes, run.nextHop));
    }
  }
  return { routes, ends, updates };
}

function prefixes({ bytes }: NlriRun): string[] {
  const all: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + Math.ceil(bytes[at]! / 8);
    all.push(Buffer.from(bytes.subarray(at, end)).toString('hex'));
    at = end;
  }
  return all;
}

const only = ({ routes }: Told): PathAttributes | undefined => {
  expect(routes.size).toBe(1);
  return [...routes.values()][0];
};
const path = (...asns: number[]): PathAttributes['asPath'] => [{ type: 'sequence', asns }];

describe.each(FAMILIES)('what peers are told of %s', (family) => {
  it('an external peer gets the own AS in front, this speaker as next hop, and neither MED nor local preference', () => {
    const [from, to] = [peer(INTERNAL, 2), peer(EXTERNAL, 3)];
    table.receive(from, announced(family, { asPath: path(65_001), med: 5, localPref: 300 }));
    expect(only(told(to, true))).toEqual({
      origin: 0,
      asPath: path(LOCAL_AS, 65_001),
      nextHop: new Ip(family === 'ipv4' ? 4 : 6, SELF[family]).toString(),
    });
  });

  it('an internal peer gets all of it, and a local preference; who sent it does not', () => {
    const [from, to] = [peer(EXTERNAL, 2), peer(INTERNAL, 3)];
    table.receive(from, announced(family, { asPath: path(65_001), med: 5 }));
    const nextHop = family === 'ipv4' ? '10.9.9.9' : 'fd00::9';
    expect(only(told(to, false))).toEqual({ origin: 0, asPath: path(65_001), med: 5, localPref: 100, nextHop });
    expect(told(from, true).routes.size).toBe(0);
  });

  it('an internal peer gets none of another one, unless it is reflected', () => {
    const [from, other, client] = [peer(INTERNAL, 2), peer(INTERNAL, 3), peer({ ...INTERNAL, routeReflectorClient: true }, 4)];
    table.receive(from, announced(family, { asPath: path(65_001) }));
    expect([told(from, false).routes.size, told(other, false).routes.size]).toEqual([0, 0]);
    expect(only(told(client, false))).toMatchObject({ originatorId: '0.0.0.2', clusterList: ['0.0.0.7'] });
  });

  it('communities hold routes back', () => {
    const [from, external, internal] = [peer(EXTERNAL, 2), peer(EXTERNAL, 3), peer(INTERNAL, 4)];
    table.receive(from, announced(family, { asPath: path(65_001), communities: [NO_EXPORT] }));
    expect([told(external, true).routes.size, told(internal, false).routes.size]).toEqual([0, 1]);
    table.receive(from, announced(family, { asPath: path(65_001), communities: [NO_ADVERTISE] }));
    expect([told(external, true).routes.size, only(told(internal, false))]).toEqual([0, undefined]);
  });

  it('what would be a loop is not used', () => {
    const [from, to] = [peer(EXTERNAL, 2), peer(EXTERNAL, 3)];
    table.receive(from, announced(family, { asPath: path(65_001, LOCAL_AS) }));
    expect([told(to, true).routes.size, table.counts(from).received[family]]).toEqual([0, 1]);
  });

  it('an external peer without a policy is not believed, RFC 8212', () => {
    const [from, to] = [peer({ name: 'nobody', external: true }, 2), peer(EXTERNAL, 3)];
    table.receive(from, announced(family, { asPath: path(65_001) }));
    expect(told(to, true).routes.size).toBe(0);
  });

  it('before maintenance all routes ask to be avoided, RFC 8326, and after it no more', () => {
    const [from, external, internal] = [peer(EXTERNAL, 2), peer(EXTERNAL, 3), peer(INTERNAL, 4)];
    table.receive(from, announced(family, { asPath: path(65_001) }));
    told(external, true);
    told(internal, false);
    table.setDraining(true);
    expect(only(told(external, true))?.communities).toEqual([GRACEFUL_SHUTDOWN]);
    expect(only(told(internal, false))).toMatchObject({ communities: [GRACEFUL_SHUTDOWN], localPref: 0 });
    table.setDraining(false);
    expect(only(told(external, true))?.communities).toBeUndefined();
  });

  it('own routes go out and come back in', () => {
    const to = peer(EXTERNAL, 3);
    table.originate(family, Uint8Array.from(PREFIXES[family]), encodeAttributes({ origin: 0, asPath: [], nextHop: '' }));
    expect(only(told(to, true))?.asPath).toEqual(path(LOCAL_AS));
    table.withdraw(family, Uint8Array.from(PREFIXES[family]));
    expect(only(told(to, true))).toBeUndefined();
  });

  it('an export policy decides, too', () => {
    const none = peer({ ...EXTERNAL, exportPolicy: { rules: [{ match: { source: 'local' }, action: 'accept' }], otherwise: 'reject' } }, 3);
    table.receive(peer(EXTERNAL, 2), announced(family, { asPath: path(65_001) }));
    expect(told(none, true).routes.size).toBe(0);
  });
});

it('the first listing ends with one End-of-RIB for each family', () => {
  const to = peer(EXTERNAL, 3);
  expect(told(to, true)).toMatchObject({ ends: ['ipv4', 'ipv6'], updates: 2 });
  table.receive(peer(EXTERNAL, 2), announced('ipv4', { asPath: path(65_001) }));
  expect(told(to, true).ends).toEqual([]);
});

it('prefixes of one attribute set share messages, and go with them', () => {
  const [from, to] = [peer(EXTERNAL, 2), peer(EXTERNAL, 3)];
  told(to, true);
  const nlri = Array.from({ length: 2_000 }, (_, i) => [24, 10, i >> 8, i & 255]);
  table.receive(from, announced('ipv4', { asPath: path(65_001) }, nlri.flat()));
  const { routes, updates } = told(to, true);
  expect(routes.size).toBe(2_000);
  expect(updates).toBe(Math.ceil((2_000 * 4) / (4096 - 60)));
  expect(table.attributeSets).toBe(1);
});

it('each message has the next hop that the export policy gives to its prefixes', () => {
  const rule = (prefix: string, nextHop: string) => ({ match: { prefixes: [{ prefix }] }, action: 'accept', set: { nextHop } }) as const;
  const rules = [rule('10.0.1.0/24', '10.1.1.1'), rule('10.0.2.0/24', '10.2.2.2')];
  const to = peer({ ...EXTERNAL, exportPolicy: { rules, otherwise: 'reject' } }, 3);
  table.receive(peer(EXTERNAL, 2), announced('ipv4', { asPath: path(65_001) }, [24, 10, 0, 1, 24, 10, 0, 2]));
  const hops = [...told(to, true).routes].map(([prefix, attributes]) => [prefix, attributes?.nextHop]);
  expect(hops).toEqual([
    ['180a0001', '10.1.1.1'],
    ['180a0002', '10.2.2.2'],
  ]);
});

it('a prefix without a next hop does not take away that of the message before it', () => {
  const rules = [{ match: { prefixes: [{ prefix: '10.0.1.0/24' }] }, action: 'accept', set: { nextHop: '10.1.1.1' } }] as const;
  const to = table.addPeer({ ...EXTERNAL, exportPolicy: { rules, otherwise: 'accept' } });
  table.peerUp(to, { families: ['ipv4'], routerId: 3, remoteAddress: Uint8Array.of(10, 0, 0, 3), nextHopSelf: {}, maxMessage: 4096 });
  table.receive(peer(EXTERNAL, 2), announced('ipv4', { asPath: path(65_001) }, [24, 10, 0, 1, 24, 10, 0, 2]));
  expect([...told(to, true).routes].map(([prefix, attributes]) => [prefix, attributes?.nextHop])).toEqual([['180a0001', '10.1.1.1']]);
});

it('a peer is not told of attributes that fill a message, nor of their withdrawal; what it had before is taken back', () => {
  const [from, to] = [peer(EXTERNAL, 2), peer(EXTERNAL, 3)];
  const tooLong = Array.from({ length: 1_012 }, (_, i) => i);
  table.receive(from, announced('ipv4', { asPath: path(65_001) }, [24, 10, 0, 2]));
  told(to, true);
  table.receive(from, announced('ipv4', { asPath: path(65_001), communities: tooLong }, [24, 10, 0, 1, 24, 10, 0, 2]));
  expect([...told(to, true).routes]).toEqual([['180a0002', undefined]]);
  table.receive(from, announced('ipv4', { asPath: path(65_001) }, [24, 10, 0, 1]));
  expect([...told(to, true).routes.keys()]).toEqual(['180a0001']);
});

it('import policy that is applied again leaves stale routes stale', () => {
  const from = peer(EXTERNAL, 2);
  table.receive(from, announced('ipv4', { asPath: path(65_001) }));
  table.peerDown(from, 'keep-stale');
  table.reimport(from);
  table.sweepStale(from);
  while (table.advance(100));
  expect([table.counts(from).received.ipv4, table.attributeSets]).toEqual([0, 0]);
});

it('attribute sets that policies turn into each other do not keep each other', () => {
  const all = (set: PolicyActions): Policy => ({ rules: [{ action: 'accept', set }], otherwise: 'reject' });
  const from = peer({ ...EXTERNAL, importPolicy: all({ addCommunities: [5] }), exportPolicy: all({ removeCommunities: [5] }) }, 2);
  const to = peer({ ...EXTERNAL, exportPolicy: all({ removeCommunities: [5] }) }, 3);
  for (let asn = 1; asn <= 3; asn++) {
    table.receive(from, announced('ipv4', { asPath: path(asn) }));
    expect(only(told(to, true))?.communities).toBeUndefined();
    expect(table.attributeSets).toBe(2);
  }
  table.peerDown(from, 'withdraw');
  while (table.advance(100));
  told(to, true);
  expect(table.attributeSets).toBe(0);
});

it('before maintenance GRACEFUL_SHUTDOWN is not said twice', () => {
  const [from, to] = [peer(EXTERNAL, 2), peer(EXTERNAL, 3)];
  table.setDraining(true);
  table.receive(from, announced('ipv4', { asPath: path(65_001), communities: [7, GRACEFUL_SHUTDOWN] }));
  expect(only(told(to, true))?.communities).toEqual([7, GRACEFUL_SHUTDOWN]);
});

it('more prefixes than a peer may have are told apart from good ones', () => {
  const from = peer({ ...EXTERNAL, maxPrefixes: 2 }, 2);
  const result = [1, 2, 3].map((i) => table.receive(from, announced('ipv4', { asPath: path(65_001) }, [24, 10, 0, i])));
  expect(result).toEqual(['ok', 'ok', 'max-prefixes-exceeded']);
});

it('what goes to external peers in one pass is what attribute by attribute would be (property)', () => {
  const asns = fc.array(fc.integer({ min: 1, max: 65_535 }), { minLength: 1, maxLength: 3 });
  const attributes = fc.record(
    {
      origin: fc.constantFrom(0, 1, 2),
      asPath: fc.array(fc.record({ type: fc.constantFrom('sequence', 'set'), asns }), { maxLength: 2 }),
      nextHop: fc.constant(''),
      med: fc.nat(),
      localPref: fc.nat(),
      communities: fc.array(fc.nat(), { minLength: 1, maxLength: 80 }),
      originatorId: fc.constant('10.0.0.7'),
      clusterList: fc.constant(['10.0.0.8']),
    },
    { requiredKeys: ['origin', 'asPath', 'nextHop'] },
  );
  fc.assert(
    fc.property(attributes, fc.boolean(), (all, ownMed) => {
      const block = encodeAttributes(all as PathAttributes);
      const rewrite = { external: true, localAs: LOCAL_AS, draining: false, ownMed };
      const onePass = rewritten(block, rewrite).slice();
      const { originatorId: _, clusterList: __, localPref: ___, med, ...kept } = all;
      const [first, ...more] = all.asPath;
      const joins = first?.type === 'sequence';
      const asPath = joins
        ? [{ ...first, asns: [LOCAL_AS, ...first.asns] }, ...more]
        : [{ type: 'sequence', asns: [LOCAL_AS] }, ...all.asPath];
      expect(onePass).toEqual(encodeAttributes({ ...kept, asPath, ...(ownMed && med !== undefined && { med }) } as PathAttributes));
    }),
  );
});
