import { l4Key } from '@isthmus/model';
import type { Lab } from '../lab.ts';
import { agentId, startAgent, waitForAgent } from '../node/agent.ts';
import type { NodePlace } from '../topology/plan.ts';
import type { FlowSpec } from '../traffic/flow.ts';
import { ECHO_PORT } from '../traffic/traffic-program.ts';
import type { Check } from './check.ts';
import { encryptionOf, hasEncryption, waitForEpoch } from './encryption-view.ts';
import { allPairFlows, trafficWhile } from './flow-set.ts';
import { allNodes } from './pairs.ts';
import { expectUnread, rotate, unreadWithoutLoss } from './rotation-phase.ts';

const ROTATIONS = 3;
/** Packets a second of each flow between nodes. */
const FLOW_PPS = 25;

/** Every node has a session with every other one, and nothing of what pods send can be read on any cable. */
const encryptedCheck: Check = {
  name: 'encrypted',
  disruptive: false,
  applies: hasEncryption,
  async run(lab) {
    const epoch = await waitForEpoch(lab);
    const [view] = await Promise.all(allNodes(lab).slice(0, 1).map(encryptionOf));
    const flows = [...allPairFlows(lab), ...nodeFlows(lab)];
    const seen = expectUnread(await trafficWhile(lab, flows, async () => undefined, { sniff: true }));
    return `epoch ${epoch} by ${view?.implementation}, preshared keys ${view?.pq}; ${seen}`;
  },
};

/** All keys of the mesh change, again and again, while every pod sends to every other one: nothing is lost, and nothing can be read. */
const rotationCheck: Check = {
  name: 'no-loss-while-keys-rotate',
  disruptive: true,
  applies: hasEncryption,
  run: (lab) =>
    unreadWithoutLoss(lab, async () => {
      for (let i = 0; i < ROTATIONS; i++) await rotate(lab, i);
      return `${ROTATIONS} rotations`;
    }),
};

/** The same while each agent in turn is killed in the middle of a rotation. */
const killedAgentsCheck: Check = {
  name: 'no-loss-while-agents-die-in-rotations',
  disruptive: true,
  applies: hasEncryption,
  run: (lab) =>
    unreadWithoutLoss(lab, async () => {
      let turns = 0;
      for (const cluster of lab.plan.clusters)
        for (const node of cluster.nodes) {
          const rotating = rotate(lab, turns++);
          await lab.processes.stop(agentId(node), 'SIGKILL');
          startAgent(lab.processes, cluster, node);
          await waitForAgent(lab.processes, node);
          await rotating;
        }
      return `${turns} rotations, an agent killed in each`;
    }),
};

/** Where the nodes' own packets are encrypted: between every two nodes. */
function nodeFlows(lab: Lab): FlowSpec[] {
  if (!allNodes(lab).every(({ config }) => config['encrypt-node'] === 'true')) return [];
  return nodePairs(lab).flatMap(({ from, to }) =>
    [to.addresses.ipv4, to.addresses.ipv6].map((ip) => {
      return { name: `${from.id} to ${to.id} (${ip})`, from, to: [to], target: l4Key('UDP', ip, ECHO_PORT), pps: FLOW_PPS };
    }),
  );
}

function nodePairs(lab: Lab): { from: NodePlace; to: NodePlace }[] {
  const nodes = allNodes(lab);
  return nodes.flatMap((from) => nodes.filter((to) => to !== from).map((to) => ({ from, to })));
}

/** What holds where nodes encrypt. */
export const encryptionChecks: readonly Check[] = [encryptedCheck, rotationCheck, killedAgentsCheck];
