import { Backoff } from './backoff.ts';
import { delay, ManualClock } from './clock.ts';

describe('ManualClock', () => {
  it('fires timers in order, those set by timers too', () => {
    const clock = new ManualClock();
    const fired: string[] = [];
    clock.after(20, () => fired.push(`b@${clock.now()}`));
    clock.after(10, () => {
      fired.push(`a@${clock.now()}`);
      clock.after(5, () => fired.push(`c@${clock.now()}`));
    });
    clock.after(15, () => fired.push('never'))();
    clock.advance(30);
    expect(fired).toEqual(['a@10', 'c@15', 'b@20']);
    expect(clock.now()).toBe(30);
  });

  it('keeps monotonic time when the wall clock is set', () => {
    const clock = new ManualClock(0);
    clock.stepWall(3_600_000);
    expect([clock.now(), clock.wall()]).toEqual([0, 3_600_000]);
  });

  it('delay rejects at once when aborted', async () => {
    const stop = new AbortController();
    const waiting = delay(new ManualClock(), 1000, stop.signal);
    stop.abort(new Error('stopping'));
    await expect(waiting).rejects.toThrow('stopping');
  });
});

describe('Backoff', () => {
  it('doubles up to the maximum and starts over after a reset', () => {
    const backoff = new Backoff({ minMs: 100, maxMs: 1000, jitter: 0 }, () => 0);
    expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([100, 200, 400, 800, 1000]);
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  it('jitters within half of the delay', () => {
    expect(new Backoff({ minMs: 100, maxMs: 1000 }, () => 1).next()).toBe(50);
  });
});
