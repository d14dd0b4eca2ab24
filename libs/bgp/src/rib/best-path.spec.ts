import fc from 'fast-check';
import { AttributeStore } from './attribute-store.ts';
import { FamilyTable } from './family-table.ts';
import { PrefixTable } from './prefix-table.ts';

const SELF = { localAs: 65000, routerId: 1, clusterId: 1 };
const NEXT_HOP = Uint8Array.of(10, 0, 0, 1);

interface Shape {
  readonly localPref: number;
  readonly path: readonly number[];
  readonly origin: number;
  readonly med: number;
}

function be32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function block({ localPref, path, origin, med }: Shape): Uint8Array {
  const asPath = path.length === 0 ? [] : [2, path.length, ...path.flatMap(be32)];
  return Uint8Array.from([0x40, 1, 1, origin, 0x40, 2, asPath.length, ...asPath, 0x80, 4, 4, ...be32(med), 0x40, 5, 4, ...be32(localPref)]);
}

const shape = fc.record({
  localPref: fc.constantFrom(50, 100),
  path: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
  origin: fc.constantFrom(0, 2),
  med: fc.integer({ min: 0, max: 2 }),
});

const PEERS = [1, 2, 3, 4].map((id) => ({ weight: 0, external: id % 2 === 0, routerId: 10 - id, address: Uint8Array.of(10, 0, 0, id) }));

/** RFC 4271 §9.1.2.2 as it is written: drop what loses a step, in order. */
function slowBest(routes: Map<number, Shape>): number {
  const keepBest = (left: number[], cost: (peer: number) => number): number[] => {
    const costs = left.map(cost).sort((a, b) => a - b);
    return left.filter((peer) => cost(peer) === costs[0]);
  };
  let left = [...routes.keys()];
  const of = (peer: number): Shape => routes.get(peer)!;
  left = keepBest(left, (peer) => -of(peer).localPref);
  left = keepBest(left, (peer) => of(peer).path.length);
  left = keepBest(left, (peer) => of(peer).origin);
  const before = left;
  left = left.filter((a) => !before.some((b) => (of(a).path[0] ?? 0) === (of(b).path[0] ?? 0) && of(b).med < of(a).med));
  left = keepBest(left, (peer) => (PEERS[peer]!.external ? 0 : 1));
  return keepBest(left, (peer) => PEERS[peer]!.routerId)[0] ?? -1;
}

test('the best path is that of the rules as they are written, whatever comes and goes', () => {
  const step = fc.record({ peer: fc.integer({ min: 0, max: 3 }), prefix: fc.integer({ min: 0, max: 3 }), shape: fc.option(shape) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const store = new AttributeStore(SELF);
      const table = new FamilyTable('ipv4', store, PEERS, () => undefined);
      const oracle = new Map<number, Map<number, Shape>>();
      for (const { peer, prefix, shape: given } of steps) {
        const routes = oracle.get(prefix) ?? new Map<number, Shape>();
        oracle.set(prefix, routes);
        const id = table.prefixes.find(Uint8Array.of(24, 10, 0, prefix), 0, true);
        if (given === null) {
          const path = table.path(peer, id, 0);
          expect(path !== 0).toBe(routes.delete(peer));
          if (path !== 0) table.remove(path);
        } else {
          const set = store.intern(block(given), NEXT_HOP);
          table.put(peer, id, 0, set, set, 0);
          store.release(set);
          routes.set(peer, given);
        }
        const best = table.best(id);
        expect(best === 0 ? -1 : table.paths.peer.get(best)).toBe(slowBest(routes));
      }
      const inUse = [...oracle.values()].flatMap((routes) => [...routes.values()].map((one) => String(block(one))));
      expect(store.size).toBe(new Set(inUse).size);
    }),
    { numRuns: 500 },
  );
});

test('prefixes keep their numbers while others come and go', () => {
  const table = new PrefixTable('ipv6');
  const bytes = (i: number): Uint8Array => Uint8Array.from([64, 0x20, 1, 0xd, 0xb8, 0, 0, i >>> 8, i & 255]);
  const oracle = new Map<number, number>();
  for (let i = 0; i < 20_000; i++) oracle.set(i, table.find(bytes(i), 0, true));
  for (let i = 0; i < 20_000; i += 3) {
    table.release(oracle.get(i)!);
    oracle.delete(i);
  }
  for (let i = 0; i < 20_000; i++) expect(table.find(bytes(i), 0, false)).toBe(oracle.get(i) ?? 0);
  expect(table.size).toBe(oracle.size);
});

test.each([
  [[0], '0.0.0.0/0'],
  [[9, 10, 0xff], '10.128.0.0/9'],
  [[32, 10, 1, 2, 255], '10.1.2.255/32'],
])('the prefix in bytes %j is %s', (bytes, text) => {
  const table = new PrefixTable('ipv4');
  const id = table.find(Uint8Array.from(bytes), 0, true);
  expect(table.text(id)).toBe(text);
  const out = new Uint8Array(5);
  expect(table.write(id, out, 0)).toBe(table.encodedLength(id));
  expect(table.find(out, 0, false)).toBe(id);
});
