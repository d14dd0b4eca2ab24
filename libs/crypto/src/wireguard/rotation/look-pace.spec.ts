import { lookPace } from './look-pace.ts';

const acted = { acted: true, waits: true };
const waits = { acted: false, waits: true };
const idle = { acted: false, waits: false };

it('looks again soon while there is something to do, and seldom when nothing is', () => {
  expect([acted, waits, idle].map((last) => lookPace(last, 3).pauseMs)).toEqual([50, 250, 1_000]);
});

it('rests the longer the more peers there are to look at, and never pauses for less', () => {
  expect([0, 3, 1_000].map((peers) => lookPace(acted, peers).restMs)).toEqual([0, 3, 1_000]);
  expect(lookPace(acted, 1_000).pauseMs).toBe(1_000);
  expect(lookPace(idle, 10_000).pauseMs).toBe(10_000);
});
