import type { Cancel, Clock } from '../clock.ts';

/** The process's own time: `performance.now` for durations, `Date.now` for display. Timers keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms: number, fn: () => void): Cancel {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};
