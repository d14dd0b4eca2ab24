import fc from 'fast-check';
import type { ParsedUpdate } from '../message/parsed-update.ts';
import { ACCEPT_ALL } from '../policy/policy.ts';
import type { PeerUp } from './rib-peer.ts';
import { RouteTable } from './route-table.ts';

const NO_CODEC = {
  decode: () => {
    throw new Error('nothing is decoded here');
  },
  encode: () => {
    throw new Error('nothing is encoded here');
  },
};

/** AS numbers of two octets' worth, in four. */
function block(path: readonly number[], ...more: number[]): Uint8Array {
  const asns = path.flatMap((asn) => [0, 0, asn >>> 8, asn & 255]);
  return Uint8Array.from([0x40, 1, 1, 0, 0x40, 2, 2 + asns.length, 2, path.length, ...asns, ...more]);
}

function announce(prefixes: readonly number[], attributes: Uint8Array): ParsedUpdate {
  const bytes = Uint8Array.from(prefixes.flatMap((prefix) => [24, 10, 0, prefix]));
  return { withdrawn: [], reach: [{ family: 'ipv4', bytes, addPath: false, nextHop: Uint8Array.of(10, 9, 9, 9) }], attributes, faults: [] };
}

function withdraw(prefix: number): ParsedUpdate {
  return {
    withdrawn: [{ family: 'ipv4', bytes: Uint8Array.of(24, 10, 0, prefix), addPath: false }],
    reach: [],
    attributes: block([]),
    faults: [],
  };
}

function up(id: number): PeerUp {
  const nextHopSelf = { ipv4: Uint8Array.of(10, 0, 0, 254) };
  return { families: ['ipv4'], routerId: id, remoteAddress: Uint8Array.of(10, 0, 0, id), nextHopSelf, maxMessage: 4096 };
}

/** A peer that applies what it is sent; strict about withdrawals of what it was never sent. */
class Receiver {
  readonly routes = new Map<number, string>();
  updates = 0;
  ends = 0;

  apply(bytes: Uint8Array | undefined): void {
    for (let at = 0; bytes !== undefined && at < bytes.length; ) {
      const length = (bytes[at + 16]! << 8) | bytes[at + 17]!;
      this.#update(bytes.subarray(at + 19, at + length));
      at += length;
    }
  }

  #update(body: Uint8Array): void {
    this.updates++;
    const withdrawn = (body[0]! << 8) | body[1]!;
    const attributes = (body[2 + withdrawn]! << 8) | body[3 + withdrawn]!;
    if (withdrawn + attributes === 0) this.ends++;
    for (let i = 2; i < 2 + withdrawn; i += 4) expect(this.routes.delete(body[i + 3]!)).toBe(true);
    const from = 4 + withdrawn;
    const text = Buffer.from(body.subarray(from, from + attributes)).toString('hex');
    for (let i = from + attributes; i < body.length; i += 4) this.routes.set(body[i + 3]!, text);
  }
}

function drain(table: RouteTable, peer: number, receiver: Receiver): void {
  for (let bytes = table.nextUpdates(peer, 4096); bytes !== undefined; bytes = table.nextUpdates(peer, 4096)) receiver.apply(bytes);
}

function sent(path: readonly number[], ...more: number[]): string {
  return Buffer.from([...block([65000, ...path], ...more), 0x40, 3, 4, 10, 0, 0, 254]).toString('hex');
}

const SELF = { localAs: 65000, routerId: 1, clusterId: 1 };
const external = (name: string) => ({ name, external: true, importPolicy: ACCEPT_ALL });

test('a receiver holds the best routes of the others, whatever came and went and whenever it was told', () => {
  const step = fc.record({
    kind: fc.constantFrom('announce', 'announce', 'withdraw', 'down', 'stale', 'pull', 'bounce', 'refresh', 'walk'),
    peer: fc.integer({ min: 1, max: 3 }),
    prefix: fc.integer({ min: 0, max: 5 }),
    hops: fc.array(fc.integer({ min: 100, max: 102 }), { minLength: 1, maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const table = new RouteTable(SELF, NO_CODEC, () => 0);
      for (let peer = 1; peer <= 4; peer++) table.addPeer(external(`p${peer}`));
      for (let peer = 1; peer <= 4; peer++) table.peerUp(peer, up(peer));
      const oracle = [1, 2, 3].map(() => new Map<number, number[]>());
      let receiver = new Receiver();
      for (const { kind, peer, prefix, hops } of steps) {
        const routes = oracle[peer - 1]!;
        if (kind === 'announce') {
          table.receive(peer, announce([prefix], block(hops)));
          routes.set(prefix, hops);
        } else if (kind === 'withdraw') {
          table.receive(peer, withdraw(prefix));
          routes.delete(prefix);
        } else if (kind === 'pull') receiver.apply(table.nextUpdates(4, 100));
        else if (kind === 'refresh') table.refresh(4, 'ipv4');
        else if (kind === 'walk') table.advance(1);
        else if (kind === 'bounce') {
          table.peerDown(4, 'withdraw');
          receiver = new Receiver();
          table.peerUp(4, up(4));
        } else {
          table.peerDown(peer, kind === 'stale' ? 'keep-stale' : 'withdraw');
          table.peerUp(peer, up(peer));
          if (kind === 'stale') {
            table.receive(peer, announce([prefix], block(hops)));
            table.sweepStale(peer);
          }
          routes.clear();
          if (kind === 'stale') routes.set(prefix, hops);
        }
      }
      while (table.advance(2));
      drain(table, 4, receiver);
      const expected = new Map<number, string>();
      for (let prefix = 0; prefix <= 5; prefix++) {
        const best = oracle.flatMap((routes) => routes.get(prefix) ?? []).length === 0 ? undefined : shortest(oracle, prefix);
        if (best !== undefined) expected.set(prefix, sent(best));
      }
      expect(receiver.routes).toEqual(expected);
      expect(receiver.ends).toBe(1);
      expect(table.attributeSets).toBeLessThanOrEqual(
        new Set([1, 2, 3].flatMap((peer) => [...oracle[peer - 1]!.values()].map(String))).size,
      );
      expect(table.counts(4).advertised).toEqual({ ipv4: expected.size, ipv6: 0 });
    }),
    { numRuns: 400 },
  );
});

/** The shortest path, of the lowest peer (their router ids ascend). */
function shortest(oracle: readonly Map<number, number[]>[], prefix: number): number[] | undefined {
  const paths = oracle.map((routes) => routes.get(prefix)).filter((path) => path !== undefined);
  return paths.sort((a, b) => a.length - b.length)[0];
}

test('prefixes of one attribute set share an UPDATE, and nothing is said twice', () => {
  const table = new RouteTable(SELF, NO_CODEC, () => 0);
  const [a, b] = [table.addPeer(external('a')), table.addPeer(external('b'))];
  table.peerUp(b, up(2));
  for (let i = 0; i < 100; i++) table.receive(a, announce([i], block([100 + (i % 2)])));
  const receiver = new Receiver();
  drain(table, b, receiver);
  expect(receiver.updates).toBe(3); // two sets, End-of-RIB
  table.receive(a, announce([1], block([101])));
  expect(table.nextUpdates(b, 4096)).toBeUndefined();
});

test.each([
  ['own AS in the path', block([65000]), 0, 0],
  ['no-export', block([7], 0xc0, 8, 4, 255, 255, 255, 1), 0, 1],
  ['no-advertise', block([7], 0xc0, 8, 4, 255, 255, 255, 2), 0, 0],
  ['own cluster', block([7], 0x80, 10, 4, 0, 0, 0, 1), 0, 0],
  ['nothing special', block([7]), 1, 1],
])('with %s the external and the internal peer get %j routes', (_, attributes, toExternal, toInternal) => {
  const table = new RouteTable(SELF, NO_CODEC, () => 0);
  const a = table.addPeer(external('a'));
  const b = table.addPeer(external('b'));
  const c = table.addPeer({ name: 'c', external: false });
  for (const peer of [a, b, c]) table.peerUp(peer, up(peer));
  table.receive(a, announce([1], attributes));
  for (const [peer, count] of [
    [b, toExternal],
    [c, toInternal],
  ] as const) {
    const receiver = new Receiver();
    drain(table, peer, receiver);
    expect(receiver.routes.size).toBe(count);
  }
});

test('an external peer without import policy brings nothing, RFC 8212; an internal one does not feed another, save by reflection', () => {
  const table = new RouteTable(SELF, NO_CODEC, () => 0);
  const bare = table.addPeer({ name: 'bare', external: true });
  const inside = table.addPeer({ name: 'inside', external: false });
  const plain = table.addPeer({ name: 'plain', external: false });
  const client = table.addPeer({ name: 'client', external: false, routeReflectorClient: true });
  for (const peer of [bare, inside, plain, client]) table.peerUp(peer, up(peer));
  table.receive(bare, announce([1], block([7])));
  table.receive(inside, announce([2], block([8])));
  const [toPlain, toClient] = [new Receiver(), new Receiver()];
  drain(table, plain, toPlain);
  drain(table, client, toClient);
  expect([...toPlain.routes.keys()]).toEqual([]);
  const reflected = block([8], 0x40, 5, 4, 0, 0, 0, 100, 0x80, 9, 4, 0, 0, 0, 2, 0x80, 10, 4, 0, 0, 0, 1);
  expect([...toClient.routes]).toEqual([[2, Buffer.from([...reflected, 0x40, 3, 4, 10, 9, 9, 9]).toString('hex')]]);
});

test('draining says GRACEFUL_SHUTDOWN on everything, once', () => {
  const table = new RouteTable(SELF, NO_CODEC, () => 0);
  const [a, b] = [table.addPeer(external('a')), table.addPeer(external('b'))];
  table.peerUp(b, up(2));
  table.receive(a, announce([1], block([7])));
  const receiver = new Receiver();
  drain(table, b, receiver);
  table.setDraining(true);
  drain(table, b, receiver);
  expect(receiver.routes.get(1)).toContain('c00804ffff0000');
});

test('a prefix that went while what a lost peer was told is still being forgotten is freed once', () => {
  const table = new RouteTable(SELF, NO_CODEC, () => 0);
  const [a, b, c] = [table.addPeer(external('a')), table.addPeer(external('b')), table.addPeer(external('c'))];
  table.peerUp(b, up(2));
  table.receive(a, announce([1], block([7])));
  drain(table, b, new Receiver());
  table.peerDown(b, 'withdraw');
  table.receive(a, withdraw(1));
  while (table.advance(1));
  for (const prefix of [2, 3]) table.receive(a, announce([prefix], block([7])));
  const receiver = new Receiver();
  table.peerUp(c, up(3));
  drain(table, c, receiver);
  expect([...receiver.routes.keys()]).toEqual([2, 3]);
});
