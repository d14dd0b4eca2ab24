import { Durations } from './durations.ts';

it('counts from when something was asked for first, of each by itself', () => {
  const durations = new Durations();
  durations.begin(100);
  expect(durations.lasted('away', 'a')).toBe(0);
  durations.begin(150);
  expect([durations.lasted('away', 'a'), durations.lasted('away', 'b'), durations.lasted('late', 'a')]).toEqual([50, 0, 0]);
});

it('begins anew after a look in which nobody asked', () => {
  const durations = new Durations();
  for (const now of [100, 200]) {
    durations.begin(now);
    durations.lasted('away', 'a');
    durations.isMore('tries', 'a', 2);
    durations.end();
  }
  durations.begin(300);
  durations.end();
  durations.begin(400);
  expect([durations.lasted('away', 'a'), durations.isMore('tries', 'a', 1), durations.isMore('tries', 'a', 1)]).toEqual([0, true, false]);
});
