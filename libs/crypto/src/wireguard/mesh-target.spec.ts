import fc from 'fast-check';
import { meshTarget } from './mesh-target.ts';

const target = (cluster: string, epoch: number) => ({ cluster, target: epoch });
/** Of nodes of the own cluster. */
const nodes = (...live: number[][]) => live.map((epochs) => ({ cluster: 'east', epochs }));
const others = (...live: number[][]) => live.map((epochs) => ({ cluster: 'west', epochs }));
const at = (newest: number) => ({ cluster: 'east', newest });

describe('meshTarget', () => {
  it('is none before the own cluster asks for one', () => {
    expect(meshTarget(at(0), [], []).epoch).toBe(0);
    for (const theirs of [1, 5]) expect(meshTarget(at(0), [target('west', theirs)], others([theirs]))).toEqual({ epoch: 0, ignored: [] });
  });

  it('is what the own cluster asks for', () => {
    expect(meshTarget(at(4), [target('east', 5)], nodes([4], [4], [4, 5])).epoch).toBe(5);
  });

  it('stays where nodes are, when no cluster says anything any more', () => {
    expect(meshTarget(at(4), [], nodes([4], [4])).epoch).toBe(4);
    expect(meshTarget(at(0), [], nodes([7], [7])).epoch).toBe(7);
  });

  it('is the next one when the cluster is to go where it has another epoch on that device', () => {
    expect(meshTarget(at(8), [target('east', 42), target('west', 42)], [...nodes([8], [8]), ...others([42])]).epoch).toBe(43);
    expect(meshTarget(at(7), [target('east', 42), target('west', 42)], [...nodes([7], [7]), ...others([42])]).epoch).toBe(42);
  });

  it('does not move on for one node that has stayed behind', () => {
    expect(meshTarget(at(9), [target('east', 10)], nodes([8], [9], [9], [9])).epoch).toBe(10);
  });

  it('waits for the device where old keys are kept on it for a node that is behind', () => {
    expect(meshTarget(at(3), [target('east', 4)], nodes([2], [2, 3], [2, 3], [2, 3])).epoch).toBe(4);
  });

  it('does not listen to a target that would use the epochs up, be it the own one, and says so', () => {
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

describe('other clusters', () => {
  const here = nodes([8], [8]);

  it('may want the next epoch, by their target or by being there', () => {
    const wanted = { epoch: 9, cluster: 'west' };
    expect(meshTarget(at(8), [target('east', 8), target('west', 9)], here)).toEqual({ epoch: 8, wanted, ignored: [] });
    expect(meshTarget(at(8), [target('east', 8), target('west', 8)], [...here, ...others([8, 9])])).toEqual({
      epoch: 8,
      wanted,
      ignored: [],
    });
  });

  it('that are further ahead are ignored, and named', () => {
    expect(meshTarget(at(8), [target('east', 8), target('west', 10)], [...here, ...others([10])])).toEqual({
      epoch: 8,
      ignored: [target('west', 10)],
    });
  });

  it('that are behind want nothing: an epoch does not go backwards', () => {
    expect(meshTarget(at(8), [target('east', 8), target('west', 7)], [...here, ...others([7], [6], [6])])).toEqual({
      epoch: 8,
      ignored: [],
    });
  });

  it('cannot move a node, whatever they say', () => {
    const epoch = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 0xffff_ffff }));
    const foreign = fc.constantFrom('west', 'north');
    const targets = fc.array(fc.record({ cluster: foreign, target: epoch }), { maxLength: 4 });
    const live = fc.array(fc.record({ cluster: foreign, epochs: fc.array(epoch, { maxLength: 2 }) }), { maxLength: 6 });
    const own = fc.record({
      newest: fc.nat(12),
      target: fc.integer({ min: 1, max: 12 }),
      live: fc.array(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 2 }), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(own, targets, live, (mine, theirTargets, theirLive) => {
        const alone = meshTarget(at(mine.newest), [target('east', mine.target)], nodes(...mine.live));
        const among = meshTarget(at(mine.newest), [target('east', mine.target), ...theirTargets], [...nodes(...mine.live), ...theirLive]);
        expect([among.epoch, among.wanted?.epoch ?? alone.epoch + 1]).toEqual([alone.epoch, alone.epoch + 1]);
      }),
    );
  });
});
