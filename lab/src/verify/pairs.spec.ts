import { planLab } from '../topology/plan.ts';
import { loadTopology } from '../topology/topology.ts';
import { nodePodPairs, podPairs, podsOfApp, RELATIONS } from './pairs.ts';

const lab = { plan: planLab('lab', loadTopology('two-clusters')) };

describe('pairs of pods', () => {
  it('are each in one relation, in both directions, and never of a pod with itself', () => {
    const all = RELATIONS.flatMap((relation) => podPairs(lab, relation)).map(({ from, to }) => `${from.id} ${to.id}`);
    expect(all).toHaveLength(8 * 7);
    expect(new Set(all).size).toBe(all.length);
    expect(podPairs(lab, 'same-node').every(({ from, to }) => from.node === to.node && from.cluster === to.cluster)).toBe(true);
    expect(podPairs(lab, 'across-nodes')).toHaveLength(2 * 4 * 2);
    expect(podPairs(lab, 'across-clusters').every(({ from, to }) => from.cluster !== to.cluster)).toBe(true);
  });

  it('tell a node of this cluster from one of the same name elsewhere', () => {
    expect(nodePodPairs(lab, 'same-node').every(({ from, to }) => to.id.startsWith(`${from.cluster}/`) && to.node === from.name)).toBe(
      true,
    );
    expect(RELATIONS.flatMap((relation) => nodePodPairs(lab, relation))).toHaveLength(4 * 8);
  });

  it('find the pods of an app', () => {
    expect(podsOfApp(lab, 'server', 'west').map((pod) => pod.id)).toEqual(['west/a2', 'west/b2']);
  });
});
