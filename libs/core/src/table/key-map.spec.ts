import fc from 'fast-check';
import { seededRandom } from '../random.ts';
import { KeyMap } from './key-map.ts';

/** More than what is kept in one part. */
const MANY = 80_000;

describe('KeyMap', () => {
  it('is what a Map is', () => {
    const step = fc.tuple(fc.constantFrom('set', 'delete', 'get'), fc.string({ maxLength: 3 }), fc.nat());
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const [map, oracle] = [new KeyMap<number>(), new Map<string, number>()];
        for (const [what, key, value] of steps) {
          if (what === 'set') {
            map.set(key, value);
            oracle.set(key, value);
          } else if (what === 'delete') expect(map.delete(key)).toBe(oracle.delete(key));
          expect([map.get(key), map.size]).toEqual([oracle.get(key), oracle.size]);
        }
        expect([...map.keys()].sort()).toEqual([...oracle.keys()].sort());
      }),
    );
  });

  it('is that also when it is large, and while it becomes so', () => {
    const random = seededRandom(1);
    const [map, oracle] = [new KeyMap<number>(), new Map<string, number>()];
    for (let i = 0; i < 3 * MANY; i++) {
      const key = `cluster/10.0.${Math.floor(random() * MANY)}`;
      if (i % 5 === 4) expect(map.delete(key)).toBe(oracle.delete(key));
      else {
        map.set(key, i);
        oracle.set(key, i);
      }
    }
    expect(oracle.size).toBeGreaterThan(32_768);
    expect(map.size).toBe(oracle.size);
    let wrong = 0;
    for (const [key, value] of oracle) if (map.get(key) !== value) wrong++;
    expect(wrong).toBe(0);
    expect([...map.keys()].sort()).toEqual([...oracle.keys()].sort());
  });
});
