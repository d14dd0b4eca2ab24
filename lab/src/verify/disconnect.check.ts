import { connect, disconnect, waitForMesh } from '../control-plane/mesh.ts';
import type { Lab } from '../lab.ts';
import { waitUntil } from '../machine/wait-until.ts';
import type { ClusterPlan, NodePlace } from '../topology/plan.ts';
import { type Check, expectThat } from './check.ts';
import { expectNoLoss, flowSet } from './flow-set.ts';
import { differences, type NodeState, type NodeStates, readNodeStates, type StateRow, textsOf, untilAsBefore } from './node-state.ts';
import { allNodes, isTunnelled, podPairs } from './pairs.ts';
import { ping } from './ping.ts';
import { whilePlain } from './plain-phase.ts';

const TIMEOUT_MS = 30_000;

/**
 * After `isthmus clustermesh disconnect` nothing of the other cluster is left in any agent's tables and maps or in the routes; everything
 * else, and all that a third cluster has, was not even written again; and no flow lost a packet but between the two. Connected again, all is
 * as before.
 */
export const disconnectCheck: Check = {
  name: 'disconnect-forgets-the-other-cluster',
  disruptive: true,
  applies: (lab) => lab.plan.clusters.length > 1,
  async run(lab) {
    const parting = lab.plan.clusters.slice(0, 2);
    const [first, second] = parting;
    expectThat(first !== undefined && second !== undefined, 'there is only one cluster');
    const before = await readNodeStates(lab);
    try {
      const others = (await flowSet(lab)).filter(({ clusters }) => !parting.every(({ name }) => clusters.includes(name)));
      const loss = await expectNoLoss(lab, others, async () => {
        await disconnect(lab.plan, first, second.name);
        await untilForgotten(lab, parting);
      });
      const gone = await expectOthersUntouched(lab, parting, before);
      // Of a cluster that is not in the mesh, pods' addresses are the world's: what is sent there is not encrypted.
      await whilePlain(lab, () => expectSilence(lab, parting));
      return `${gone}; ${loss} meanwhile`;
    } finally {
      await joinAgain(lab, parting, before);
    }
  },
};

/** The cluster that a node's own one parted from; undefined for nodes of a third cluster. */
function partedFrom(parting: readonly ClusterPlan[], node: NodePlace): string | undefined {
  return parting.some(({ name }) => name === node.cluster) ? parting.find(({ name }) => name !== node.cluster)?.name : undefined;
}

async function expectOthersUntouched(lab: Lab, parting: readonly ClusterPlan[], before: NodeStates): Promise<string> {
  const after = await readNodeStates(lab);
  const wrong: string[] = [];
  let [gone, kept] = [0, 0];
  for (const node of allNodes(lab)) {
    const state = before.get(node.id) as NodeState;
    const other = partedFrom(parting, node);
    // Which of a cluster's own servers serve may follow from whether another cluster's do.
    const follows = (row: StateRow): boolean => row.service && (row.cluster === undefined || row.cluster === node.cluster);
    const stays = (row: StateRow): boolean => other === undefined || (row.cluster !== other && !follows(row));
    wrong.push(...differences(node.id, state, after.get(node.id), { of: stays, untouched: true }));
    gone += textsOf(state, other).length;
    kept += [...state.values()].filter(stays).length;
  }
  expectThat(wrong.length === 0, wrong.slice(0, 5).join('; '));
  return `${gone} rows gone, ${kept} others of ${before.size} nodes untouched`;
}

async function joinAgain(lab: Lab, [first, second]: readonly ClusterPlan[], before: NodeStates): Promise<void> {
  if (!first || !second) return;
  await connect(lab.plan, first, [second.name]);
  for (const cluster of [first, second]) await waitForMesh(lab.plan, cluster);
  await untilAsBefore(lab, before);
}

async function untilForgotten(lab: Lab, parting: readonly ClusterPlan[]): Promise<void> {
  let left: string[] = [];
  await waitUntil(
    async () => {
      const states = await readNodeStates(lab);
      left = allNodes(lab).flatMap((node) => textsOf(states.get(node.id), partedFrom(parting, node)).map((text) => `${node.id}: ${text}`));
      return left.length === 0;
    },
    { what: 'the clusters to forget each other', timeoutMs: TIMEOUT_MS, onTimeout: () => `left: ${left.slice(0, 5).join('; ')}` },
  );
}

/** Through the tunnel there is no way any more. What routers carry they carry on: where that shall end is a matter of policy. */
async function expectSilence(lab: Lab, [first, second]: readonly ClusterPlan[]): Promise<void> {
  if (!allNodes(lab).every(isTunnelled)) return;
  const pair = podPairs(lab, 'across-clusters').find(({ from, to }) => from.cluster === first?.name && to.cluster === second?.name);
  if (!pair) return;
  const { ipv4 } = lab.podAddresses(pair.to);
  expectThat(!(await ping(lab, pair.from, ipv4, { timeoutS: 1 })), `${pair.from.id} still reaches ${pair.to.id} (${ipv4})`);
}
