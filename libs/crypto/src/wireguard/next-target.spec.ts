import type { WireGuardTargetRow } from '@isthmus/model';
import { leftBehind, newTarget, nodesBehind, presentTarget, rotationWaits } from './next-target.ts';
import { WIREGUARD_LEFT_BEHIND, WIREGUARD_ROTATION_WAITS } from './wireguard.errors.ts';

const ROW: WireGuardTargetRow = {
  cluster: 'west',
  clusterId: 2,
  target: 7,
  startedAt: '1970-01-01T00:00:05Z',
  by: 'operator',
  reason: 'schedule',
};

describe('targets', () => {
  it('say when they were asked for', () => {
    expect(newTarget(ROW, { target: 7, by: 'operator', reason: 'schedule' }, 5_999)).toEqual(ROW);
  });

  it('of the mesh are the own, or what nodes were brought to by others', () => {
    expect([presentTarget(undefined, new Map()), presentTarget(ROW, new Map([['a', 6]])), presentTarget(ROW, new Map([['a', 9]]))]).toEqual(
      [0, 7, 9],
    );
  });
});

describe('nodes', () => {
  it('are behind without a key of the target', () => {
    expect(
      nodesBehind(
        ['c', 'b', 'a'],
        new Map([
          ['a', 7],
          ['b', 6],
        ]),
        7,
      ),
    ).toEqual(['b', 'c']);
  });

  it('that are behind are named, but not all of many', () => {
    expect(rotationWaits(7, ['a', 'b'])).toMatchObject({
      code: WIREGUARD_ROTATION_WAITS.code,
      object: 'epoch 7',
      message: 'a, b: not at epoch 7 yet',
    });
    expect(rotationWaits(7, [...'abcdefg']).message).toBe('a, b, c, d, e and 2 more: not at epoch 7 yet');
    expect(rotationWaits(7, []).message).toBe('some nodes: not at epoch 7 yet');
    expect(leftBehind(7, ['a'])).toMatchObject({ code: WIREGUARD_LEFT_BEHIND.code, message: 'a: not at epoch 7 yet' });
  });
});
