import { type RotationSight, RotationWatch } from './rotation-watch.ts';

const sight = (target: number, more: Partial<RotationSight> = {}): RotationSight => {
  return { target, devices: { even: undefined, odd: undefined }, isMoving: false, ...more };
};
const sent = (even: [number | undefined, number], odd: [number | undefined, number]): Pick<RotationSight, 'devices'> => {
  return { devices: { even: { epoch: even[0], sent: even[1] }, odd: { epoch: odd[0], sent: odd[1] } } };
};

it('measures a change of keys from when it is heard of until nothing is left to do', () => {
  const watch = new RotationWatch();
  watch.look(sight(3), 0);
  watch.look(sight(4, { isMoving: true }), 1_000);
  watch.look(sight(4, { isMoving: true }), 3_000);
  expect(watch.figures.lastSeconds).toBeUndefined();
  watch.look(sight(4), 5_500);
  watch.look(sight(4), 9_000);
  expect(watch.figures.lastSeconds).toBe(4.5);
});

it('counts from the first of two that come one upon the other', () => {
  const watch = new RotationWatch();
  watch.look(sight(3), 0);
  watch.look(sight(4, { isMoving: true }), 1_000);
  watch.look(sight(5, { isMoving: true }), 2_000);
  watch.look(sight(5), 4_000);
  expect(watch.figures.lastSeconds).toBe(3);
});

it('knows nothing of one that was under way before, and of the first keys', () => {
  const watch = new RotationWatch();
  watch.look(sight(0, { isMoving: true }), 0);
  watch.look(sight(3, { isMoving: true }), 1_000);
  watch.look(sight(3), 2_000);
  expect(watch.figures.lastSeconds).toBeUndefined();
});

it('counts packets that go by older keys, and none that were sent before it was there or by a device that has no key', () => {
  const watch = new RotationWatch();
  watch.look(sight(3, sent([undefined, 50], [3, 100])), 0);
  watch.look(sight(3, sent([undefined, 50], [3, 110])), 1);
  expect(watch.figures.oldEpochPackets).toBe(0);
  watch.look(sight(4, { ...sent([4, 60], [3, 117]), isMoving: true }), 2);
  expect(watch.figures.oldEpochPackets).toBe(7);
  watch.look(sight(4, { ...sent([4, 90], [3, 2]), isMoving: true }), 3);
  watch.look(sight(4, { devices: { even: { epoch: 4, sent: 95 }, odd: undefined }, isMoving: true }), 4);
  watch.look(sight(4, sent([4, 99], [undefined, 9])), 5);
  expect(watch.figures.oldEpochPackets).toBe(7);
});
