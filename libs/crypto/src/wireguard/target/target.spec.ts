import type { WireGuardTargetRow } from '@isthmus/model';
import { WIREGUARD_LEFT_BEHIND, WIREGUARD_ROTATION_WAITS, WIREGUARD_TARGET } from '../wireguard.errors.ts';
import { leftBehind, newTarget, nodesBehind, presentTarget, rotationWaits } from './next-target.ts';
import { decodeHistory, type TargetChange, withChange } from './target-history.ts';
import { decodeTarget, encodeTarget, newestEpochOf } from './target-record.ts';

const KEY = 'cilium/state/isthmus/wireguard-target/v1/west/target';
const ROW: WireGuardTargetRow = {
  cluster: 'west',
  clusterId: 2,
  target: 7,
  startedAt: '1970-01-01T00:00:05Z',
  by: 'operator',
  reason: 'schedule',
};
const TEXT = '{"cluster":"west","clusterID":2,"target":7,"startedAt":"1970-01-01T00:00:05Z","by":"operator","reason":"schedule"}';
const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('targets', () => {
  it('are written as readers expect them, and read again', () => {
    expect(encodeTarget(ROW)).toBe(TEXT);
    expect(decodeTarget(KEY, bytes(TEXT))).toEqual(ROW);
    expect(newTarget(ROW, { target: 7, by: 'operator', reason: 'schedule' }, 5_999)).toEqual(ROW);
  });

  it.each([
    ['', 'it: Invalid input'],
    ['{"cluster":"west"}', 'clusterID: '],
    [TEXT.replace('7', '0'), 'target: is no epoch'],
    [TEXT.replace('7', '4294967296'), 'target: is no epoch'],
    [TEXT.replace('west', 'east'), 'it is that of east'],
  ])('that are broken are refused: %s', (text, why) => {
    expect(() => decodeTarget(KEY, bytes(text))).toThrow(
      expect.objectContaining({ code: WIREGUARD_TARGET.code, object: KEY, message: expect.stringContaining(why) }),
    );
  });

  it('of the mesh are the own, or what nodes were brought to by others', () => {
    expect([presentTarget(undefined, new Map()), presentTarget(ROW, new Map([['a', 6]])), presentTarget(ROW, new Map([['a', 9]]))]).toEqual(
      [0, 7, 9],
    );
  });
});

describe('nodes', () => {
  it('have the newest epoch of their record; what cannot be read is none', () => {
    const texts = ['{"epochs":[{"epoch":6,"publicKey":"x"},{"epoch":7}]}', '{"epochs":[]}', '{"epochs":[{"epoch":-1}]}', '{', 'null'];
    expect(texts.map((text) => newestEpochOf(bytes(text)))).toEqual([7, 0, 0, 0, 0]);
  });

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

describe('the history', () => {
  const change = (target: number): TargetChange => ({ at: '1970-01-01T00:00:05Z', by: 'operator', target, reason: 'schedule' });

  it('begins with the newest change and forgets the oldest', () => {
    let history: TargetChange[] = [];
    for (let target = 1; target <= 102; target++) history = withChange(history, { ...ROW, target });
    expect(history).toHaveLength(100);
    expect([history[0], history.at(-1)]).toEqual([change(102), change(3)]);
    expect(decodeHistory(bytes(JSON.stringify(history)))).toEqual(history);
  });

  it('keeps what can be read of it', () => {
    expect(decodeHistory(bytes(JSON.stringify([change(2), { at: 1 }, null, change(1)])))).toEqual([change(2), change(1)]);
    expect([undefined, bytes('{'), bytes('{}')].map(decodeHistory)).toEqual([[], [], []]);
  });
});
