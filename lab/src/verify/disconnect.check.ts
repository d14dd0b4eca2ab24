import { connect, disconnect, waitForMesh } from '../control-plane/mesh.ts';
import type { Lab } from '../lab.ts';
import { waitUntil } from '../machine/wait-until.ts';
import type { ClusterPlan } from '../topology/plan.ts';
import { type Check, expectThat } from './check.ts';
import { expectNoLoss, flowSet } from './flow-set.ts';
import { differences, type NodeState, readNodeState } from './node-state.ts';
import { podPairs } from './pairs.ts';
import { ping } from './ping.ts';

const TIMEOUT_MS = 30_000;

/**
 * After `isthmus clustermesh disconnect` nothing of the other cluster is left in any agent's tables and maps or in the routes, everything
 * else is as it was, and nobody inside a cluster has lost a packet. Connected again, all is as before.
 */
export const disconnectCheck: Check = {
  name: 'disconnect-forgets-the-other-cluster',
  disruptive: true,
  applies: (lab) => lab.plan.clusters.length > 1,
  async run(lab) {
    const [first, second] = lab.plan.clusters;
    expectThat(first !== undefined && second !== undefined, 'there is only one cluster');
    const before = await statesOf(first, second);
    try {
      const inside = (await flowSet(lab)).filter(({ scope }) => scope === 'cluster');
      const loss = await expectNoLoss(lab, inside, async () => {
        await disconnect(lab.plan, first, second.name);
        await untilForgotten(first, second);
      });
      const after = await statesOf(first, second);
      const wrong = [...before].flatMap(([node, state]) => differences(node, state, after.get(node)));
      expectThat(wrong.length === 0, wrong.join('; '));
      await expectSilence(lab);
      const rows = [...before.values()].reduce((sum, state) => sum + state.foreign.size, 0);
      return `${rows} rows gone from ${before.size} nodes, all others as before; ${loss} meanwhile`;
    } finally {
      await joinAgain(lab, first, second, before);
    }
  },
};

async function joinAgain(lab: Lab, first: ClusterPlan, second: ClusterPlan, before: ReadonlyMap<string, NodeState>): Promise<void> {
  await connect(lab.plan, first, [second.name]);
  for (const cluster of [first, second]) await waitForMesh(lab.plan, cluster);
  let wrong: string[] = [];
  await waitUntil(
    async () => {
      const now = await statesOf(first, second);
      wrong = [...before].flatMap(([node, state]) =>
        [...state.foreign].filter((row) => !now.get(node)?.foreign.has(row)).map((row) => `${node} lacks ${row}`),
      );
      return wrong.length === 0;
    },
    { what: 'the clusters to know each other again', timeoutMs: TIMEOUT_MS, onTimeout: () => wrong.slice(0, 5).join('; ') },
  );
}

/** What every node of two clusters holds, by node; the other cluster's rows apart. */
async function statesOf(first: ClusterPlan, second: ClusterPlan): Promise<Map<string, NodeState>> {
  const states = new Map<string, NodeState>();
  for (const [own, other] of [
    [first, second],
    [second, first],
  ] as const)
    for (const node of own.nodes) states.set(node.id, await readNodeState(node, other));
  return states;
}

async function untilForgotten(first: ClusterPlan, second: ClusterPlan): Promise<void> {
  let left: string[] = [];
  await waitUntil(
    async () => {
      const states = await statesOf(first, second);
      left = [...states].flatMap(([node, { foreign }]) => [...foreign].map((row) => `${node}: ${row}`));
      return left.length === 0;
    },
    { what: 'the clusters to forget each other', timeoutMs: TIMEOUT_MS, onTimeout: () => `left: ${left.slice(0, 5).join('; ')}` },
  );
}

async function expectSilence(lab: Lab): Promise<void> {
  const [pair] = podPairs(lab, 'across-clusters');
  if (!pair) return;
  const { ipv4 } = lab.podAddresses(pair.to);
  expectThat(!(await ping(lab, pair.from, ipv4, { timeoutS: 1 })), `${pair.from.id} still reaches ${pair.to.id} (${ipv4})`);
}
