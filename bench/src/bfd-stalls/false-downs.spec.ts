import { FalseDowns } from './false-downs.ts';

describe('false downs', () => {
  const down = { key: 'v4', lost: true };
  const up = { key: 'v4', lost: false };

  it('count once while they last, and again after the session was up', () => {
    const downs = new FalseDowns();
    for (const report of [up, down, down, up, down]) downs.take('a', report);
    expect(downs.since()).toBe(2);
  });

  it('count at each end and of each session', () => {
    const downs = new FalseDowns();
    downs.take('a', down);
    downs.take('b', down);
    downs.take('b', { key: 'v6', lost: true });
    expect(downs.since()).toBe(3);
  });

  it('count in the minute in which they began alone', () => {
    const downs = new FalseDowns();
    downs.take('a', down);
    expect(downs.since()).toBe(1);
    downs.take('a', down);
    expect(downs.since()).toBe(0);
  });
});
