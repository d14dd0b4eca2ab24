import { apiserverId } from '../control-plane/apiserver.ts';
import { crashEnvironment, crashedAfter, type RotationStep } from '../fault/crash-environment.ts';
import { together, withFault } from '../fault/fault.ts';
import { labEtcds } from '../fault/lab-etcd.ts';
import { kill, stutter } from '../fault/process.faults.ts';
import type { Lab } from '../lab.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { agentId, startAgent, waitForAgent } from '../node/agent.ts';
import type { ClusterPlan, NodePlace } from '../topology/plan.ts';
import { type Check, expectThat } from './check.ts';
import { encryptionOf, hasEncryption, waitForEpoch, waitForEpochAmong } from './encryption-view.ts';
import { meshLoad, unreadUnderLoad } from './rotation-load.ts';
import { raiseEpoch, rotate } from './rotation-phase.ts';

/** What a node does on its way from one epoch to the next, all in every rotation; some in either order. */
const STEPS: readonly RotationStep[] = ['make-key', 'set-up', 'publish', 'agreeing', 'agreed', 'install', 'send', 'remove', 'wipe'];
/** Those of them that there are only with preshared keys. */
const AGREEMENT_STEPS: readonly RotationStep[] = ['agreeing', 'agreed'];
const STEP_TIMEOUT_MS = 60_000;
/** By how much an answer of a store is late at most. */
const STORE_DELAY_MS = 1_000;
const SLOW_ROTATIONS = 3;

function faultCheck(name: string, disturbances: (lab: Lab) => readonly (() => Promise<string>)[]): Check {
  return { name, disruptive: true, applies: hasEncryption, run: (lab) => unreadUnderLoad(lab, meshLoad(lab), ...disturbances(lab)) };
}

/** Clusters hear nothing of each other: once from before a rotation on, and once from when each node has its new key. */
async function rotateWithoutApiservers(lab: Lab): Promise<string> {
  const [first, ...others] = lab.plan.clusters as [ClusterPlan, ...ClusterPlan[]];
  const down = together(...lab.plan.clusters.map((cluster) => kill(apiserverId(cluster))));
  const before = await waitForEpoch(lab);
  await withFault(lab, down, async () => {
    await raiseEpoch(lab, first);
    await waitForEpochAmong(first.nodes, before + 1);
  });
  await waitForEpoch(lab, before + 1);
  const last = others.at(-1) ?? first;
  await raiseEpoch(lab, last);
  await waitForKey(first.nodes[0]!, before + 2);
  await withFault(lab, down, () => waitForEpochAmong(first.nodes, before + 2));
  await waitForEpoch(lab, before + 2);
  return '2 rotations without apiservers';
}

async function waitForKey(node: NodePlace, epoch: number): Promise<void> {
  const has = async (): Promise<boolean> => (await encryptionOf(node))?.devices.some((device) => device.epoch === epoch) === true;
  await waitUntil(has, { what: `${node.id} to have a key of epoch ${epoch}`, timeoutMs: STEP_TIMEOUT_MS });
}

/** Every etcd stands still again and again. */
async function rotateBySlowStores(lab: Lab): Promise<string> {
  await withFault(lab, together(...labEtcds(lab).map(({ id }) => stutter(id, STORE_DELAY_MS))), async () => {
    for (let i = 0; i < SLOW_ROTATIONS; i++) await rotate(lab, i);
  });
  return `${SLOW_ROTATIONS} rotations while every etcd is late by up to ${STORE_DELAY_MS} ms`;
}

/** An agent dies right after each step that it makes in a rotation, and the next one goes on from there. */
async function dieAtEachStep(lab: Lab, cluster: ClusterPlan, node: NodePlace): Promise<string> {
  const before = await waitForEpoch(lab);
  const agrees = (await encryptionOf(node))?.pq !== 'off';
  const left = new Set(STEPS.filter((step) => agrees || !AGREEMENT_STEPS.includes(step)));
  const done: RotationStep[] = [];
  const next = async (): Promise<void> => {
    const step = await crashed(lab, node, left);
    left.delete(step);
    done.push(step);
  };
  try {
    await lab.processes.stop(agentId(node), 'SIGKILL');
    startAgent(lab.processes, cluster, node, { env: crashEnvironment(left) });
    await waitForAgent(lab.processes, node);
    // Asked for where an agent is that does not die.
    await raiseEpoch(lab, lab.plan.clusters.find(({ nodes }) => nodes[0] !== node)!);
    await next();
    while (left.size > 0) {
      startAgent(lab.processes, cluster, node, { env: crashEnvironment(left) });
      await next();
    }
  } finally {
    await lab.processes.stop(agentId(node), 'SIGKILL'); // does nothing where it has ended
    startAgent(lab.processes, cluster, node);
  }
  await waitForAgent(lab.processes, node);
  await waitForEpoch(lab, before + 1);
  return `the agent of ${node.id} died after ${done.join(', ')}`;
}

/** Waits until an agent has died. @returns the step after which it did */
async function crashed(lab: Lab, node: NodePlace, steps: ReadonlySet<RotationStep>): Promise<RotationStep> {
  const id = agentId(node);
  const gone = (): boolean => !lab.processes.isAlive(id);
  await waitUntil(gone, { what: `${id} to end after one of ${[...steps].join(', ')}`, timeoutMs: STEP_TIMEOUT_MS });
  const step = crashedAfter(lab.processes.get(id).log);
  expectThat(step !== undefined && steps.has(step), `${id} has ended by itself`);
  return step;
}

/** What holds of the keys' rotation while much is sent and something goes wrong. */
export const encryptionLoadFaultChecks: readonly Check[] = [
  faultCheck('no-loss-while-keys-rotate-without-apiservers', (lab) => [() => rotateWithoutApiservers(lab)]),
  faultCheck('no-loss-while-keys-rotate-by-slow-stores', (lab) => [() => rotateBySlowStores(lab)]),
  faultCheck('no-loss-while-agents-die-at-each-step', (lab) =>
    lab.plan.clusters.flatMap((cluster) => cluster.nodes.map((node) => () => dieAtEachStep(lab, cluster, node))),
  ),
];
