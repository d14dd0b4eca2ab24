import { seededRandom } from '@isthmus/core';
import { IdentityAllocator } from './identity-allocator.ts';
import type { CreateOutcome, IdentityRegistry } from './identity-registry.ts';

class Registry implements IdentityRegistry {
  readonly ids = new Map<number, string>();
  readonly resting = new Set<number>();
  listings = 0;

  #idOf(labels: string): number | undefined {
    return [...this.ids].find(([, text]) => text === labels)?.[0];
  }

  async find(labels: string) {
    return this.#idOf(labels);
  }

  async labelsOf(id: number) {
    return this.ids.get(id);
  }

  async create(id: number, labels: string): Promise<CreateOutcome> {
    // One synchronous step, as the real one is one transaction.
    const known = this.#idOf(labels);
    if (known !== undefined) return { outcome: 'exists', id: known };
    if (this.ids.has(id) || this.resting.has(id)) return { outcome: 'taken' };
    this.ids.set(id, labels);
    return { outcome: 'created' };
  }

  async taken() {
    this.listings++;
    return new Set([...this.ids.keys(), ...this.resting]);
  }
}

const range = { cluster: 'east', min: 65_792, max: 65_799 };
const allocator = (registry: Registry, seed = 1, of = range) => new IdentityAllocator(registry, of, seededRandom(seed));

describe('IdentityAllocator', () => {
  it('gives the same labels the same number, whoever asks', async () => {
    const registry = new Registry();
    const ids = await Promise.all([1, 2, 3, 4, 5].map((seed) => allocator(registry, seed).allocate('k8s:a=b;')));
    expect(new Set(ids).size).toBe(1);
    expect(registry.ids.size).toBe(1);
  });

  it('never gives one number to two label sets, and says when the range is full', async () => {
    const registry = new Registry();
    const ids = new Set<number>();
    for (let i = 0; i < 8; i++) ids.add(await allocator(registry, i).allocate(`k8s:n=${i};`));
    expect(ids.size).toBe(8);
    await expect(allocator(registry).allocate('k8s:n=9;')).rejects.toMatchObject({
      code: 'IDENTITY_EXHAUSTED',
      object: '65792-65799',
      message: 'no identity is free in 65792-65799, the range of cluster east',
    });
  });

  it('finds the last free number of a whole cluster, and lists them only then', async () => {
    const [registry, whole] = [new Registry(), { ...range, min: 65_536, max: 131_071 }];
    expect(await allocator(registry, 1, whole).allocate('k8s:first=x;')).toBeGreaterThanOrEqual(whole.min);
    expect(registry.listings).toBe(0);
    for (let id = whole.min; id <= whole.max; id++) if (id !== 99_999) registry.resting.add(id);
    expect(await allocator(registry, 2, whole).allocate('k8s:last=x;')).toBe(99_999);
    expect(registry.listings).toBe(1);
    await expect(allocator(registry, 3, whole).allocate('k8s:none=x;')).rejects.toMatchObject({ code: 'IDENTITY_EXHAUSTED' });
  });

  it('passes over numbers that rest', async () => {
    const registry = new Registry();
    for (let id = range.min; id < range.max; id++) registry.resting.add(id);
    expect(await allocator(registry).allocate('k8s:a=b;')).toBe(range.max);
  });

  it('creates a number in use again when it vanished', async () => {
    const registry = new Registry();
    expect(await allocator(registry).keep(65_795, 'k8s:a=b;')).toBe(65_795);
    expect(registry.ids.get(65_795)).toBe('k8s:a=b;');
  });

  it('quarantines a number that came back with other labels', async () => {
    const registry = new Registry();
    registry.ids.set(65_795, 'k8s:other=x;');
    const one = allocator(registry);
    const moved = await one.keep(65_795, 'k8s:a=b;');
    expect(moved).not.toBe(65_795);
    expect(await one.keep(moved, 'k8s:a=b;')).toBe(moved);
    registry.ids.delete(65_795);
    const others = new Set<number>();
    for (let i = 0; i < 6; i++) others.add(await one.allocate(`k8s:n=${i};`));
    expect([others.size, others.has(65_795)]).toEqual([6, false]);
    await expect(one.allocate('k8s:n=7;')).rejects.toMatchObject({ code: 'IDENTITY_EXHAUSTED' });
    expect(await allocator(registry).allocate('k8s:n=7;')).toBe(65_795);
  });
});
