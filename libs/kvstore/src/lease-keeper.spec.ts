import { isCoded, ManualClock, seededRandom } from '@isthmus/core';
import { KV_LEASE_LOST } from './kv-errors.ts';
import { LeaseKeeper } from './lease-keeper.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function keeper(renew: () => Promise<number>): { clock: ManualClock; keeper: LeaseKeeper } {
  const clock = new ManualClock();
  return { clock, keeper: new LeaseKeeper({ id: '7', ttlSeconds: 9, sentAt: clock.now(), clock, random: seededRandom(1), renew }) };
}

async function pass(clock: ManualClock, seconds: number): Promise<void> {
  for (let i = 0; i < seconds * 10; i++) {
    clock.advance(100);
    await turn();
  }
}

describe('LeaseKeeper', () => {
  it('renews each third of the time to live and stays', async () => {
    let renewals = 0;
    const t = keeper(async () => {
      renewals++;
      return 9;
    });
    await pass(t.clock, 60);
    expect(t.keeper.lost.aborted).toBe(false);
    expect(renewals).toBeGreaterThanOrEqual(19);
    expect(renewals).toBeLessThanOrEqual(20);
    t.keeper.stop();
  });

  it('is lost exactly one time to live after the last confirmed renewal was sent', async () => {
    let up = true;
    const t = keeper(async () => {
      if (!up) throw new Error('down');
      return 9;
    });
    await pass(t.clock, 3.5); // renewed at 3 s
    up = false;
    await pass(t.clock, 8.4);
    expect(t.keeper.lost.aborted).toBe(false);
    await pass(t.clock, 0.2);
    expect(t.keeper.lost.aborted).toBe(true);
    expect(isCoded(t.keeper.lost.reason, KV_LEASE_LOST)).toBe(true);
  });

  it('counts from the sending of a renewal, however late the answer comes', async () => {
    let answer: (ttl: number) => void = () => undefined;
    const t = keeper(() => new Promise<number>((resolve) => (answer = resolve)));
    await pass(t.clock, 8); // sent at 3 s, in flight since
    answer(9);
    await turn();
    await pass(t.clock, 3.9); // 11.9 s: inside 3 + 9
    expect(t.keeper.lost.aborted).toBe(false);
    await pass(t.clock, 0.2);
    expect(t.keeper.lost.aborted).toBe(true);
  });

  it('is lost even while a renewal hangs', async () => {
    const t = keeper(() => new Promise<number>(() => undefined));
    await pass(t.clock, 9);
    expect(t.keeper.lost.aborted).toBe(true);
  });

  it('is lost at once when the server does not know it', async () => {
    const t = keeper(async () => 0);
    await pass(t.clock, 3.1);
    expect(t.keeper.lost.aborted).toBe(true);
  });

  it('ignores the wall clock and says nothing after a stop', async () => {
    const t = keeper(async () => 9);
    t.clock.stepWall(3_600_000);
    await pass(t.clock, 2);
    expect(t.keeper.lost.aborted).toBe(false);
    t.keeper.stop();
    await pass(t.clock, 60);
    expect(t.keeper.lost.aborted).toBe(false);
  });
});
