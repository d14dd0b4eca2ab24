import { meshTarget } from './mesh-target.ts';

const target = (cluster: string, epoch: number) => ({ cluster, target: epoch });

describe('meshTarget', () => {
  const at = (newest: number) => ({ cluster: 'east', newest });

  it('is none before a cluster asks for one', () => {
    expect(meshTarget(at(0), [], [])).toBe(0);
  });

  it('is the greatest that a cluster asks for', () => {
    expect(meshTarget(at(4), [target('east', 4), target('west', 5)], [[4], [4], [4, 5]])).toBe(5);
  });

  it('stays where nodes are, when no cluster says anything any more', () => {
    expect(meshTarget(at(4), [], [[4], [4]])).toBe(4);
    expect(meshTarget(at(0), [], [[7], [7]])).toBe(7);
  });

  it('is the next one when clusters meet that have different epochs on one device', () => {
    const live = [[8], [8], [42], [42]];
    expect(meshTarget(at(8), [target('east', 8), target('west', 42)], live)).toBe(43);
    expect(meshTarget(at(42), [target('west', 8), target('east', 42)], live)).toBe(43);
  });

  it('is the greatest when clusters meet on different devices', () => {
    expect(meshTarget(at(7), [target('east', 7), target('west', 42)], [[7], [7], [42], [42]])).toBe(42);
  });

  it('does not move on for one node that has stayed behind', () => {
    expect(meshTarget(at(9), [target('east', 10)], [[8], [9], [9], [9]])).toBe(10);
  });

  it('waits for the device where old keys are kept on it for a node that is behind', () => {
    expect(meshTarget(at(3), [target('east', 4)], [[2], [2, 3], [2, 3], [2, 3]])).toBe(4);
  });

  it('waits with meeting until a cluster has finished its own change', () => {
    const targets = [target('east', 8), target('west', 42)];
    expect(meshTarget(at(8), targets, [[8], [8], [41, 42], [41]])).toBe(42);
    expect(meshTarget(at(8), targets, [[8], [8], [42], [42]])).toBe(43);
  });

  it('does not listen to a cluster that would use the epochs up', () => {
    expect(meshTarget(at(4), [target('east', 4), target('west', 0xffff_ffff)], [[4], [0xffff_fffe]])).toBe(4);
  });
});
