import { meshTarget } from './mesh-target.ts';

const target = (cluster: string, epoch: number) => ({ cluster, target: epoch });
/** Of nodes of the own cluster. */
const nodes = (...live: number[][]) => live.map((epochs) => ({ cluster: 'east', epochs }));
const others = (...live: number[][]) => live.map((epochs) => ({ cluster: 'west', epochs }));

describe('meshTarget', () => {
  const at = (newest: number) => ({ cluster: 'east', newest });

  it('is none before a cluster asks for one', () => {
    expect(meshTarget(at(0), [], []).epoch).toBe(0);
  });

  it('is the greatest that a cluster asks for', () => {
    expect(meshTarget(at(4), [target('east', 4), target('west', 5)], nodes([4], [4], [4, 5])).epoch).toBe(5);
  });

  it('stays where nodes are, when no cluster says anything any more', () => {
    expect(meshTarget(at(4), [], nodes([4], [4])).epoch).toBe(4);
    expect(meshTarget(at(0), [], nodes([7], [7])).epoch).toBe(7);
  });

  it('is the next one when clusters meet that have different epochs on one device', () => {
    expect(meshTarget(at(8), [target('east', 8), target('west', 42)], [...nodes([8], [8]), ...others([42], [42])]).epoch).toBe(43);
    expect(meshTarget(at(42), [target('west', 8), target('east', 42)], [...nodes([42], [42]), ...others([8], [8])]).epoch).toBe(43);
  });

  it('is the greatest when clusters meet on different devices', () => {
    expect(meshTarget(at(7), [target('east', 7), target('west', 42)], [...nodes([7], [7]), ...others([42], [42])]).epoch).toBe(42);
  });

  it('does not move on for one node that has stayed behind', () => {
    expect(meshTarget(at(9), [target('east', 10)], nodes([8], [9], [9], [9])).epoch).toBe(10);
  });

  it('waits for the device where old keys are kept on it for a node that is behind', () => {
    expect(meshTarget(at(3), [target('east', 4)], nodes([2], [2, 3], [2, 3], [2, 3])).epoch).toBe(4);
  });

  it('waits with meeting until a cluster has finished its own change', () => {
    const targets = [target('east', 8), target('west', 42)];
    expect(meshTarget(at(8), targets, [...nodes([8], [8]), ...others([41, 42], [41])]).epoch).toBe(42);
    expect(meshTarget(at(8), targets, [...nodes([8], [8]), ...others([42], [42])]).epoch).toBe(43);
  });

  it('does not listen to a cluster that would use the epochs up, be it the own one, and says so', () => {
    const last = 0xffff_ffff;
    for (const cluster of ['east', 'west'])
      expect(meshTarget(at(4), [target('east', 4), target(cluster, last)], [...nodes([4]), ...others([last - 1])])).toEqual({
        epoch: 4,
        ignored: [target(cluster, last)],
      });
  });

  it('is where the own cluster is, however long that has been there, for a node that is new', () => {
    expect(meshTarget(at(0), [target('east', 70_000)], nodes([69_999], [70_000])).epoch).toBe(70_000);
    expect(meshTarget(at(0), [target('east', 70_000)], []).ignored).toHaveLength(1);
  });
});
