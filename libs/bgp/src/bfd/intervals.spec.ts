import fc from 'fast-check';
import { jittered, Negotiation } from './intervals.ts';

it.each([
  [3, 0.75, 1],
  [1, 0.75, 0.9],
])('sends with multiplier %d after %d to %d of the interval', (multiplier, least, most) => {
  expect(jittered(1000, multiplier, () => 0)).toBe(1000 * least);
  expect(jittered(1000, multiplier, () => 1 - 2 ** -53)).toBeCloseTo(1000 * most);
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (random) => {
      const wait = jittered(1000, multiplier, () => random);
      expect(wait).toBeGreaterThanOrEqual(1000 * least);
      expect(wait).toBeLessThanOrEqual(1000 * most);
    }),
  );
});

describe('negotiation', () => {
  const first = { tx: 100, rx: 100 };

  /** RFC 5880 §6.8.3: up, change, what is in force before the Final. */
  it.each([
    [true, { tx: 50, rx: 100 }, { tx: 50, rx: 100 }],
    [true, { tx: 200, rx: 100 }, { tx: 100, rx: 100 }],
    [true, { tx: 100, rx: 50 }, { tx: 100, rx: 100 }],
    [true, { tx: 100, rx: 200 }, { tx: 100, rx: 200 }],
    [false, { tx: 200, rx: 50 }, { tx: 200, rx: 50 }],
  ])('up %s, %j: %j until the peer knows it', (up, to, before) => {
    const negotiation = new Negotiation(first);
    expect(negotiation.change(to, up)).toBe(true);
    expect([negotiation.polling, negotiation.told, negotiation.inForce]).toEqual([true, to, before]);
    negotiation.final();
    expect([negotiation.polling, negotiation.inForce]).toEqual([false, to]);
  });

  it('does not poll when nothing changes, nor end a poll that is none', () => {
    const negotiation = new Negotiation(first);
    expect(negotiation.change({ tx: 100, rx: 100 }, true)).toBe(false);
    negotiation.final();
    expect(negotiation.polling).toBe(false);
  });

  it('polls again for what changed during a poll: the Final may answer the earlier one', () => {
    const negotiation = new Negotiation(first);
    negotiation.change({ tx: 200, rx: 100 }, true);
    negotiation.change({ tx: 300, rx: 100 }, true);
    negotiation.final();
    expect([negotiation.polling, negotiation.inForce.tx]).toEqual([true, 100]);
    negotiation.final();
    expect([negotiation.polling, negotiation.inForce.tx]).toEqual([false, 300]);
  });
});
