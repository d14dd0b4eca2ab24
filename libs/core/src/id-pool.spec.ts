import fc from 'fast-check';
import { ManualClock } from './clock.ts';
import { IdPool } from './id-pool.ts';

const pool = (clock: ManualClock, max = 4) => new IdPool({ name: 'backends', min: 1, max, graceMs: 1000 }, clock);

describe('IdPool', () => {
  it('gives a key the id that the kernel holds for it', () => {
    const ids = pool(new ManualClock());
    ids.seed('10.0.0.1:80', 3);
    expect(ids.idOf('10.0.0.1:80')).toBe(3);
    expect(ids.keyOf(3)).toBe('10.0.0.1:80');
  });

  it('does not give an id to another key before the grace has passed', () => {
    const clock = new ManualClock();
    const ids = pool(clock, 1);
    ids.idOf('a');
    ids.release('a');
    expect(() => ids.idOf('b')).toThrow('all 1 ids of backends');
    clock.advance(1000);
    expect(ids.idOf('b')).toBe(1);
  });

  it('frees seeded ids that nobody asked for, after the grace', () => {
    const clock = new ManualClock();
    const ids = pool(clock, 1);
    ids.seed('old', 1);
    clock.advance(1000);
    expect(ids.idOf('new')).toBe(1);
  });

  it('never gives one id to two keys (property)', () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), release: fc.boolean(), wait: fc.nat(800) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const clock = new ManualClock();
        const ids = pool(clock);
        const held = new Map<string, number>();
        for (const { key, release, wait } of steps) {
          clock.advance(wait);
          if (release) {
            ids.release(key);
            held.delete(key);
            continue;
          }
          try {
            held.set(key, ids.idOf(key));
          } catch {
            expect(held.size).toBeLessThanOrEqual(4);
          }
          expect(new Set(held.values()).size).toBe(held.size);
        }
      }),
    );
  });
});
