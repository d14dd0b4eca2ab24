import { l4Key } from '@isthmus/model';
import { tryIsthmus } from '../control-plane/isthmus-command.ts';
import type { Lab } from '../lab.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { agentId, startAgent, waitForAgent } from '../node/agent.ts';
import type { ClusterPlan, NodePlace } from '../topology/plan.ts';
import type { FlowSpec, TrafficReport } from '../traffic/flow.ts';
import { ECHO_PORT } from '../traffic/traffic-program.ts';
import { judgeTraffic } from '../traffic/verdict.ts';
import { type Check, expectThat } from './check.ts';
import { encryptionOf, hasEncryption, waitForEpoch } from './encryption-view.ts';
import { allPairFlows, trafficWhile } from './flow-set.ts';
import { allNodes } from './pairs.ts';
import { RigOverloaded, repeatVoid } from './void-phase.ts';

const ROTATIONS = 3;
const RAISE_TIMEOUT_MS = 20_000;
/** What the command says of a change that comes too soon after another one. */
const TOO_SOON = 'CLI_ROTATION_TOO_SOON';
/** Packets a second of each flow: there is one between every two pods, over both families. */
export const FLOW_PPS = 25;

/** Every node has a session with every other one, and nothing of what pods send can be read on any cable. */
const encryptedCheck: Check = {
  name: 'encrypted',
  disruptive: false,
  applies: hasEncryption,
  async run(lab) {
    const epoch = await waitForEpoch(lab);
    const [view] = await Promise.all(allNodes(lab).slice(0, 1).map(encryptionOf));
    const flows = [...allPairFlows(lab, FLOW_PPS), ...nodeFlows(lab)];
    const seen = expectUnread(await trafficWhile(lab, flows, async () => undefined, { sniff: true }));
    return `epoch ${epoch} by ${view?.implementation}; ${seen}`;
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

/** One rotation, begun in one of the clusters: it is one of the whole mesh. */
async function rotate(lab: Lab, turn: number): Promise<void> {
  const { clusters } = lab.plan;
  const cluster = clusters[turn % clusters.length]!;
  const before = await waitForEpoch(lab);
  await raiseEpoch(lab, cluster);
  await waitForEpoch(lab, before + 1);
}

/** Asks for new keys, as a person would on a node of a cluster; again, where it is too soon after the last time. */
export async function raiseEpoch(lab: Lab, cluster: ClusterPlan, flags: readonly string[] = []): Promise<void> {
  const words = ['encrypt', 'rotate', '--context', cluster.name, '--reason', 'the lab checks it', ...flags];
  let said = '';
  const raised = async (): Promise<boolean> => {
    const { status, stderr } = await tryIsthmus(lab.plan, cluster.nodes[0]!, words);
    said = stderr;
    expectThat(status === 0 || stderr.includes(TOO_SOON), stderr);
    return status === 0;
  };
  await waitUntil(raised, { what: 'new keys to be asked for', timeoutMs: RAISE_TIMEOUT_MS, onTimeout: () => said });
}

function unreadWithoutLoss(lab: Lab, disturb: () => Promise<string>): Promise<string> {
  return repeatVoid(() => unreadOnce(lab, disturb));
}

async function unreadOnce(lab: Lab, disturb: () => Promise<string>): Promise<string> {
  await waitForEpoch(lab);
  let done = '';
  const work = async (): Promise<void> => {
    done = await disturb();
  };
  return `${expectUnread(await trafficWhile(lab, allPairFlows(lab, FLOW_PPS), work, { sniff: true }))}; ${done}`;
}

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

/** What was seen. @throws CheckFailed when a packet was lost or could be read; RigOverloaded when this machine may have lost them */
export function expectUnread(report: TrafficReport): string {
  const { sniffer } = report;
  expectThat(sniffer !== undefined && sniffer.packets > 0, 'the sniffers saw nothing at all');
  const read = [...sniffer.cables].filter(([, packets]) => packets > 0);
  expectThat(read.length === 0, `plain packets of pods: ${read.map(([cable, packets]) => `${packets} on ${cable}`).join(', ')}`);
  expectThat(sniffer.dropped === 0, `the sniffers were too slow for ${sniffer.dropped} packets, which they cannot speak for`);
  const { verdict, text } = judgeTraffic(report);
  if (verdict === 'void') throw new RigOverloaded(text);
  expectThat(verdict === 'clean', text);
  return `${text}; none could be read in ${sniffer.packets} packets on the cables`;
}

/** What holds where nodes encrypt. */
export const encryptionChecks: readonly Check[] = [encryptedCheck, rotationCheck, killedAgentsCheck];
