import fc from 'fast-check';
import { deviceOf, isEpoch, mayJoinAt, meetingTarget } from './epoch.ts';

const epoch = fc.integer({ min: 1, max: 1_000_000 });

it.each<[number, boolean]>([
  [0, false],
  [1, true],
  [0xffff_ffff, true],
  [0x1_0000_0000, false],
  [1.5, false],
  [-1, false],
  [Number.NaN, false],
])('%d as an epoch: %s', (value, good) => {
  expect(isEpoch(value)).toBe(good);
});

it('epochs take turns on two devices', () => {
  expect([7, 8, 9].map(deviceOf)).toEqual(['odd', 'even', 'odd']);
});

it('a cluster may be far ahead when it comes, but not beyond all measure', () => {
  expect([mayJoinAt(8, 8 + 65_536), mayJoinAt(8, 9 + 65_536), mayJoinAt(8, 0), mayJoinAt(0xffff_ffff, 0x1_0000_0000)]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

describe('where clusters meet', () => {
  it.each<[string, number[], number[], number]>([
    ['at one epoch', [7, 7], [7], 7],
    ['at epochs of one parity', [8, 42], [8, 42], 43],
    ['at epochs of both', [7, 42], [7, 42], 42],
    ['in the middle of a rotation of one', [7, 42], [7, 41, 42], 42],
    ['in the middle of a rotation of the other', [8, 41], [7, 8, 41], 42],
  ])('%s', (_, targets, live, target) => {
    expect(meetingTarget(targets, live)).toBe(target);
  });

  it('every node has room for the target: its device has no other keys than of that epoch', () => {
    fc.assert(
      fc.property(fc.array(epoch, { minLength: 1, maxLength: 5 }), (targets) => {
        // A node's live epochs are its cluster's target and the one before at most.
        const live = targets.flatMap((each) => [each, each - 1]).filter((each) => each > 0);
        const target = meetingTarget(targets, live);
        const greatest = Math.max(...targets);
        // One that stays at M needs no room; at M + 1 the older of two live epochs makes it.
        return target === greatest
          ? live.every((each) => each === target || deviceOf(each) !== deviceOf(target))
          : target === greatest + 1 && target > Math.max(...live);
      }),
    );
  });
});
