import { ManualClock } from '@isthmus/core';
import { type Family, parseCidr, parseIp } from '@isthmus/net';
import fc from 'fast-check';
import { IpPool, type IpPoolSnapshot } from './ip-pool.ts';

const DELAY = 1000;

function pool(cidrs: string[], clock = new ManualClock()): { pool: IpPool; clock: ManualClock } {
  return { pool: new IpPool({ name: 'node-a', cidrs, clock, reuseDelayMs: DELAY }), clock };
}

function thrown(fn: () => unknown): { code: string; message: string; action: string } {
  try {
    fn();
  } catch (error) {
    return error as { code: string; message: string; action: string };
  }
  throw new Error('nothing was thrown');
}

test('gives out one address of each family', () => {
  const { pool: p } = pool(['10.0.0.0/24', 'fd00::/64']);
  expect([p.allocate('ns/a', 4), p.allocate('ns/a', 6)]).toEqual(['10.0.0.2', 'fd00::2']);
  expect(p.addressesOf('ns/a')).toEqual(['10.0.0.2', 'fd00::2']);
  expect(p.ownerOf('fd00::2')).toBe('ns/a');
  expect(p.releaseOwner('ns/a')).toEqual(['10.0.0.2', 'fd00::2']);
  expect(p.addressesOf('ns/a')).toEqual([]);
  expect(p.release('10.0.0.2')).toBe(false);
});

test('uses the second CIDR when the first is full', () => {
  const { pool: p } = pool(['10.0.0.0/30', '10.1.0.0/30']);
  expect([p.allocate('a', 4), p.allocate('b', 4)]).toEqual(['10.0.0.2', '10.1.0.2']);
});

test('keeps a released address back, and then gives it out again', () => {
  const { pool: p, clock } = pool(['10.0.0.0/30']);
  p.allocate('a', 4);
  p.release('10.0.0.2');
  clock.advance(DELAY - 1);
  const error = thrown(() => p.allocate('b', 4));
  expect(error).toMatchObject({
    code: 'IPAM_POOL_EXHAUSTED',
    message: 'pool node-a: no IPv4 address is free in 10.0.0.0/30 (1 addresses: 0 in use, 1 released and kept back)',
    action: 'Wait: released addresses return after 1 s. Delete pods on this node, or give it another CIDR',
  });
  clock.advance(1);
  expect(p.allocate('b', 4)).toBe('10.0.0.2');
});

test('knows that it has nothing to give, and for how long', () => {
  const { pool: p, clock } = pool(['10.0.0.0/30', '10.0.1.0/30']);
  expect(p.shortage(4)).toBeUndefined();
  expect(p.shortage(6)?.message).toBe('pool node-a: it has no IPv6 CIDR');
  p.allocate('a', 4);
  p.allocate('b', 4);
  expect(p.shortage(4)?.message).toBe(thrown(() => p.allocate('c', 4)).message);
  p.release('10.0.1.2');
  expect(p.shortage(4)).toMatchObject({ code: 'IPAM_POOL_EXHAUSTED' });
  clock.advance(DELAY);
  expect(p.shortage(4)).toBeUndefined();
});

test('names what is missing when a family has no CIDR', () => {
  const { pool: p } = pool(['10.0.0.0/30']);
  expect(thrown(() => p.allocate('a', 6)).message).toBe('pool node-a: it has no IPv6 CIDR');
});

describe('an address asked for by name', () => {
  it('is given once, and again to the same owner', () => {
    const { pool: p } = pool(['10.0.0.0/24']);
    p.allocateExact('10.0.0.9', 'a');
    p.allocateExact('10.0.0.9', 'a');
    expect(thrown(() => p.allocateExact('10.0.0.9', 'b'))).toMatchObject({
      code: 'IPAM_ADDRESS_TAKEN',
      message: 'pool node-a: 10.0.0.9 belongs to a, b cannot have it',
    });
  });

  it.each([
    ['10.0.0.0', 'own, gateway or broadcast address of 10.0.0.0/24'],
    ['10.0.0.1', 'gateway'],
    ['10.0.0.255', 'broadcast'],
    ['10.0.1.5', 'is in none of 10.0.0.0/24'],
    ['fd00::5', 'is in none of 10.0.0.0/24'],
    ['10.0.0', 'is no IP address'],
  ])('%s is refused', (ip, why) => {
    const { pool: p } = pool(['10.0.0.0/24']);
    const error = thrown(() => p.allocateExact(ip, 'a'));
    expect(error.code).toBe('IPAM_ADDRESS_UNUSABLE');
    expect(error.message).toContain(why);
  });

  it('that is kept back goes to its last owner only', () => {
    const { pool: p, clock } = pool(['10.0.0.0/24']);
    p.allocateExact('10.0.0.9', 'a');
    p.release('10.0.0.9');
    clock.advance(DELAY / 2);
    expect(thrown(() => p.allocateExact('10.0.0.9', 'b'))).toMatchObject({
      code: 'IPAM_ADDRESS_COOLING',
      message: 'pool node-a: 10.0.0.9 was released by a and is kept back for another 1 s',
    });
    p.allocateExact('10.0.0.9', 'a');
    expect(p.ownerOf('10.0.0.9')).toBe('a');
  });
});

describe('CIDRs', () => {
  it('may be added and removed, but not while they are in use', () => {
    const { pool: p } = pool(['10.0.0.0/30']);
    p.addCidr('10.0.0.0/30');
    p.addCidr('10.1.0.0/30');
    p.allocate('ns/a', 4);
    expect(thrown(() => p.removeCidr('10.0.0.0/30'))).toMatchObject({
      code: 'IPAM_CIDR_IN_USE',
      message: 'pool node-a: 10.0.0.0/30 is in use by 10.0.0.2 (ns/a)',
    });
    p.removeCidr('10.1.0.0/30');
    p.removeCidr('10.9.0.0/30');
    expect(p.cidrs).toEqual(['10.0.0.0/30']);
  });

  it('stay kept back when they return', () => {
    const { pool: p, clock } = pool(['10.0.0.0/30']);
    p.allocate('a', 4);
    p.release('10.0.0.2');
    p.removeCidr('10.0.0.0/30');
    p.addCidr('10.0.0.0/30');
    expect(thrown(() => p.allocate('b', 4)).code).toBe('IPAM_POOL_EXHAUSTED');
    clock.advance(DELAY);
    expect(p.allocate('b', 4)).toBe('10.0.0.2');
  });

  it.each([
    ['10.0.0.0/25', 'IPAM_CIDR_OVERLAP'],
    ['10.0.0.0/33', 'IPAM_CIDR_INVALID'],
    ['x', 'IPAM_CIDR_INVALID'],
  ])('%s is refused with %s', (cidr, code) => {
    expect(thrown(() => pool(['10.0.0.0/24', cidr])).code).toBe(code);
  });
});

test('adopts what is in use, also outside of its CIDRs, and never gives it out', () => {
  const { pool: p } = pool(['10.0.0.0/30']);
  p.adopt('10.1.0.2', 'old');
  p.adopt('10.0.0.2', 'a');
  p.addCidr('10.1.0.0/30');
  expect(thrown(() => p.allocate('b', 4)).code).toBe('IPAM_POOL_EXHAUSTED');
  expect(p.usage()).toEqual([
    { cidr: '10.0.0.0/30', usable: 1n, used: 1, cooling: 0 },
    { cidr: '10.1.0.0/30', usable: 1n, used: 1, cooling: 0 },
  ]);
  expect(thrown(() => p.adopt('10.0.0.2', 'b')).code).toBe('IPAM_ADDRESS_TAKEN');
});

test('a restored pool goes on where the other one was', () => {
  const { pool: p, clock } = pool(['10.0.0.0/28']);
  const [first] = [p.allocate('a', 4), p.allocate('b', 4)];
  p.release(first!);
  clock.advance(DELAY / 4);
  const json = JSON.parse(JSON.stringify(p.snapshot())) as IpPoolSnapshot;
  expect(json.cooling).toEqual([{ ip: '10.0.0.2', owner: 'a', remainingMs: 750 }]);
  const later = pool(['10.0.0.0/28']);
  later.pool.restore(json);
  expect(later.pool.snapshot()).toEqual(json);
  expect(later.pool.allocate('c', 4)).toBe('10.0.0.4');
});

test('one address of a nearly full /64 slice is found without a walk over the network', () => {
  const { pool: p } = pool(['fd00::/64']);
  for (let i = 0; i < 5000; i++) p.allocate(`o${i}`, 6);
  expect(new Set(p.snapshot().allocations.map((a) => a.ip)).size).toBe(5000);
});

/** One thing that may happen to a pool; numbers choose among what there is at that moment. */
type Step =
  | { do: 'allocate' | 'release' | 'exact' | 'remove' | 'add'; pick: number; family: Family }
  | { do: 'wait'; pick: number; family: Family }
  | { do: 'restart'; pick: number; family: Family };

const CIDRS = ['10.0.0.0/29', '10.0.1.0/30', '10.0.2.0/31', 'fd00::/125', 'fd00:1::/127'];

/** The laws that hold for any sequence of steps, kept the slow way. */
class Model {
  readonly clock = new ManualClock();
  pool = new IpPool({ name: 'm', cidrs: CIDRS, clock: this.clock, reuseDelayMs: DELAY });
  readonly used = new Map<string, string>();
  readonly releasedAt = new Map<string, { at: number; owner: string }>();
  #owner = 0;

  step(step: Step): void {
    if (step.do === 'wait') this.clock.advance(step.pick % 700);
    else if (step.do === 'restart') this.#restart();
    else if (step.do === 'release') this.#release(step.pick);
    else if (step.do === 'allocate') this.#attempt((owner) => this.pool.allocate(owner, step.family), step.family);
    else if (step.do === 'exact') this.#exact(step.pick);
    else this.#cidr(step.do, CIDRS[step.pick % CIDRS.length]!);
    expect(new Map(this.pool.snapshot().allocations.map((a) => [a.ip, a.owner]))).toEqual(this.used);
  }

  #attempt(give: (owner: string) => string, family: Family): void {
    const owner = `o${this.#owner++}`;
    let ip: string;
    try {
      ip = give(owner);
    } catch (error) {
      expect((error as { code: string }).code).toBe('IPAM_POOL_EXHAUSTED');
      expect(this.#free(family)).toEqual([]);
      return;
    }
    expect(this.#free(family)).toContain(ip);
    this.used.set(ip, owner);
  }

  #exact(pick: number): void {
    const cidr = parseCidr(CIDRS[pick % CIDRS.length]!)!;
    const ip = cidr.nth(BigInt(pick) % cidr.size).toString();
    const free = this.#free(cidr.family).includes(ip);
    const owner = `o${this.#owner++}`;
    if (!free) {
      expect(() => this.pool.allocateExact(ip, owner)).toThrow();
      return;
    }
    this.pool.allocateExact(ip, owner);
    this.used.set(ip, owner);
  }

  #release(pick: number): void {
    const ip = [...this.used.keys()][pick % Math.max(1, this.used.size)];
    if (ip === undefined) return;
    expect(this.pool.release(ip)).toBe(true);
    this.releasedAt.set(ip, { at: this.clock.now(), owner: this.used.get(ip)! });
    this.used.delete(ip);
  }

  #cidr(what: string, cidr: string): void {
    const inUse = [...this.used.keys()].some((ip) => parseCidr(cidr)!.contains(parseIp(ip)!));
    if (what === 'add') this.pool.addCidr(cidr);
    else if (inUse && this.pool.cidrs.includes(cidr)) expect(() => this.pool.removeCidr(cidr)).toThrow();
    else this.pool.removeCidr(cidr);
  }

  #restart(): void {
    const snapshot = JSON.parse(JSON.stringify(this.pool.snapshot())) as IpPoolSnapshot;
    this.pool = new IpPool({ name: 'm', cidrs: this.pool.cidrs, clock: this.clock, reuseDelayMs: DELAY });
    this.pool.restore(snapshot);
  }

  /** Every address that may be given out now, one by one. */
  #free(family: Family): string[] {
    const cidrs = this.pool.cidrs.map((text) => parseCidr(text)!).filter((cidr) => cidr.family === family);
    const all = cidrs.flatMap((cidr) => {
      const ips = Array.from({ length: Number(cidr.size) }, (_, i) => cidr.nth(i).toString());
      return cidr.size <= 2n ? ips : ips.slice(2, family === 4 ? -1 : undefined);
    });
    const cool = (ip: string): boolean => (this.releasedAt.get(ip)?.at ?? -DELAY) + DELAY > this.clock.now();
    return all.filter((ip) => !this.used.has(ip) && !cool(ip));
  }
}

test('no address ever has two owners or returns early, and no free one is withheld, whatever happens', () => {
  const kinds = ['allocate', 'allocate', 'release', 'exact', 'wait', 'restart', 'add', 'remove'] as const;
  const step = fc.record({ do: fc.constantFrom(...kinds), pick: fc.nat(10_000), family: fc.constantFrom<Family>(4, 6) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const model = new Model();
      for (const s of steps) model.step(s);
    }),
    { numRuns: 150 },
  );
});
