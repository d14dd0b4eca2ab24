import { parseCidr } from '@isthmus/net';
import fc from 'fast-check';
import { CidrAllocator, conflictError } from './cidr-allocator.ts';

const V4 = { cidr: '10.0.0.0/22', maskSize: 24 };
const V6 = { cidr: 'fd00::/62', maskSize: 64 };

function thrown(fn: () => unknown): { code: string; message: string } {
  try {
    fn();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('nothing was thrown');
}

test('gives each node one CIDR of each family, and the same again', () => {
  const allocator = new CidrAllocator([V4, V6]);
  expect(allocator.allocate('a')).toEqual(['10.0.0.0/24', 'fd00::/64']);
  expect(allocator.allocate('b')).toEqual(['10.0.1.0/24', 'fd00:0:0:1::/64']);
  expect(allocator.allocate('a')).toEqual(['10.0.0.0/24', 'fd00::/64']);
  expect(allocator.nodes).toEqual(['a', 'b']);
});

test('adopts first, then allocates around it and only what is missing', () => {
  const allocator = new CidrAllocator([V4, V6]);
  expect(allocator.adopt('a', ['10.0.0.0/24'])).toEqual([]);
  expect(allocator.adopt('b', ['10.0.1.128/25', '192.168.0.0/24'])).toEqual([]);
  expect(allocator.allocate('a')).toEqual(['10.0.0.0/24', 'fd00::/64']);
  expect(allocator.allocate('b')).toEqual(['10.0.1.128/25', '192.168.0.0/24', 'fd00:0:0:1::/64']);
  expect(allocator.allocate('c')[0]).toBe('10.0.2.0/24');
});

test('goes around a CIDR from before a change of the mask size', () => {
  const allocator = new CidrAllocator([V4]);
  allocator.adopt('old', ['10.0.0.0/23']);
  expect(allocator.allocate('a')).toEqual(['10.0.2.0/24']);
  expect(allocator.allocate('b')).toEqual(['10.0.3.0/24']);
  expect(thrown(() => allocator.allocate('c')).code).toBe('IPAM_CLUSTER_EXHAUSTED');
  allocator.release('old');
  expect(allocator.allocate('c')).toEqual(['10.0.0.0/24']);
});

test('a part that two nodes share from before is free only when both are gone', () => {
  const allocator = new CidrAllocator([{ cidr: '10.0.0.0/24', maskSize: 24 }]);
  allocator.adopt('a', ['10.0.0.64/26']);
  allocator.adopt('b', ['10.0.0.128/26']);
  allocator.release('a');
  expect(thrown(() => allocator.allocate('c')).code).toBe('IPAM_CLUSTER_EXHAUSTED');
  allocator.release('b');
  expect(allocator.allocate('c')).toEqual(['10.0.0.0/24']);
});

test('a huge larger CIDR is passed over in one step', () => {
  const allocator = new CidrAllocator([{ cidr: 'fd00::/16', maskSize: 112 }]);
  allocator.adopt('old', ['fd00::/17']);
  expect(allocator.allocate('a')).toEqual(['fd00:8000::/112']);
});

test('reports who has what when two nodes claim the same; the first keeps it', () => {
  const allocator = new CidrAllocator([V4, V6]);
  allocator.adopt('a', ['10.0.0.0/24', 'fd00::/64']);
  const conflicts = [...allocator.adopt('b', ['10.0.0.128/25']), ...allocator.adopt('c', ['10.0.0.0/23', 'fd00:0:0:1::/64'])];
  expect(conflicts.map((c) => conflictError(c).message)).toEqual([
    'node b claims 10.0.0.128/25, which overlaps 10.0.0.0/24 of node a',
    'node c claims 10.0.0.0/23, which overlaps 10.0.0.0/24 of node a',
  ]);
  expect(allocator.cidrsOf('b')).toEqual([]);
  expect(allocator.cidrsOf('c')).toEqual(['fd00:0:0:1::/64']);
  expect(allocator.allocate('b')).toEqual(['10.0.1.0/24', 'fd00:0:0:2::/64']);
});

test('gives nothing when one family is exhausted, and says which', () => {
  const allocator = new CidrAllocator([V4, { cidr: 'fd00::/64', maskSize: 64 }]);
  allocator.allocate('a');
  expect(thrown(() => allocator.allocate('b'))).toMatchObject({
    code: 'IPAM_CLUSTER_EXHAUSTED',
    message: 'no IPv6 CIDR is free for node b in fd00::/64 (1 of /64, 1 taken)',
  });
  expect(allocator.cidrsOf('b')).toEqual([]);
  expect(allocator.release('a')).toEqual(['10.0.0.0/24', 'fd00::/64']);
  expect(allocator.allocate('b')[1]).toBe('fd00::/64');
});

test.each([
  [[{ cidr: '10.0.0.0/16', maskSize: 8 }], 'IPAM_CIDR_INVALID'],
  [[{ cidr: '10.0.0.0/16', maskSize: 33 }], 'IPAM_CIDR_INVALID'],
  [[{ cidr: 'ten', maskSize: 24 }], 'IPAM_CIDR_INVALID'],
  [[V4, { cidr: '10.0.0.0/8', maskSize: 24 }], 'IPAM_CIDR_OVERLAP'],
])('%j is refused with %s', (pools, code) => {
  expect(thrown(() => new CidrAllocator(pools)).code).toBe(code);
});

test('no two nodes ever share an address, and no free CIDR is withheld, across releases and restarts', () => {
  const node = fc.nat(9).map((n) => `n${n}`);
  const sizes = fc.constantFrom('10.0.0.0/23', '10.0.1.0/24', '10.0.2.0/24', '10.0.3.64/26', '10.0.3.128/26', '172.16.0.0/24', 'fd00::/63');
  const step = fc.oneof(
    fc.record({ do: fc.constant('allocate' as const), node }),
    fc.record({ do: fc.constant('release' as const), node }),
    fc.record({ do: fc.constant('adopt' as const), node, cidr: sizes }),
    fc.record({ do: fc.constant('restart' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let allocator = new CidrAllocator([V4, V6]);
      for (const s of steps) {
        if (s.do === 'release') allocator.release(s.node);
        else if (s.do === 'adopt') allocator.adopt(s.node, [s.cidr]);
        else if (s.do === 'allocate') attempt(allocator, s.node);
        else allocator = restarted(allocator);
        expectDisjoint(allocator);
      }
    }),
    { numRuns: 300 },
  );
});

function attempt(allocator: CidrAllocator, node: string): void {
  const before = allocator.cidrsOf(node);
  const free = allocator.families.map((family) => {
    const has = before.some((cidr) => parseCidr(cidr)!.family === family);
    return has || freeParts(allocator, family === 4 ? V4 : V6).length > 0;
  });
  if (free.every(Boolean)) expect(allocator.allocate(node).length).toBeGreaterThanOrEqual(2);
  else {
    expect(() => allocator.allocate(node)).toThrow(/is free for node/);
    expect(allocator.cidrsOf(node)).toEqual(before);
  }
}

function restarted(allocator: CidrAllocator): CidrAllocator {
  const next = new CidrAllocator([V4, V6]);
  for (const name of allocator.nodes) expect(next.adopt(name, allocator.cidrsOf(name))).toEqual([]);
  expect(next.nodes.map((name) => next.cidrsOf(name))).toEqual(allocator.nodes.map((name) => allocator.cidrsOf(name)));
  return next;
}

function freeParts(allocator: CidrAllocator, pool: { cidr: string; maskSize: number }): string[] {
  const taken = allocator.nodes.flatMap((name) => allocator.cidrsOf(name)).map((cidr) => parseCidr(cidr)!);
  return Array.from({ length: 4 }, (_, n) => parseCidr(pool.cidr)!.subnet(pool.maskSize, n))
    .filter((part) => !taken.some((cidr) => cidr.overlaps(part)))
    .map(String);
}

function expectDisjoint(allocator: CidrAllocator): void {
  const held = allocator.nodes.flatMap((node) => allocator.cidrsOf(node).map((text) => ({ node, cidr: parseCidr(text)! })));
  for (const a of held) for (const b of held) if (a.node !== b.node) expect(a.cidr.overlaps(b.cidr)).toBe(false);
}
