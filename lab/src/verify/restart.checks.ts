import type { EndpointRow } from '@isthmus/model';
import { apiserverId, startApiserver, waitForApiserver } from '../control-plane/apiserver.ts';
import { waitForMesh } from '../control-plane/mesh.ts';
import { operatorId, startOperator, waitForOperator } from '../control-plane/operator.ts';
import type { Lab } from '../lab.ts';
import { getJson } from '../machine/http-get.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { agentId, agentSocket, startAgent, waitForAgent } from '../node/agent.ts';
import type { ClusterPlan, NodePlace } from '../topology/plan.ts';
import { tableRows } from './agent-view.ts';
import { type Check, expectThat } from './check.ts';
import { expectNoLoss, flowSet } from './flow-set.ts';
import { allNodes, allPods } from './pairs.ts';

const SETTLE_TIMEOUT_MS = 30_000;

/** What is killed runs again afterwards, however the check ends. Starting what runs does nothing. */
async function restoring(lab: Lab, work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } finally {
    await Promise.all(lab.plan.clusters.map((cluster) => startAll(lab, cluster)));
  }
}

async function startAll(lab: Lab, cluster: ClusterPlan): Promise<void> {
  startApiserver(lab.processes, cluster);
  startOperator(lab.processes, cluster);
  for (const node of cluster.nodes) startAgent(lab.processes, cluster, node);
  await waitForApiserver(lab.processes, cluster);
  await waitForOperator(lab.processes, cluster);
  for (const node of cluster.nodes) await waitForAgent(lab.processes, node);
}

/** Runs all flows while `disturb` kills and starts, and answers how much was sent and that nothing was lost. */
function noLossWhile(lab: Lab, disturb: () => Promise<void>): Promise<string> {
  return restoring(lab, async () => expectNoLoss(lab, await flowSet(lab), disturb));
}

/** No packet is lost while each agent in turn is killed and started again. */
const agentsCheck: Check = {
  name: 'no-loss-while-agents-restart',
  disruptive: true,
  run: (lab) =>
    noLossWhile(lab, async () => {
      for (const cluster of lab.plan.clusters)
        for (const node of cluster.nodes) {
          await lab.processes.stop(agentId(node), 'SIGKILL');
          await startAgentAgain(lab, cluster, node);
        }
    }),
};

/** No packet is lost while each apiserver in turn is killed and started again. */
const apiserversCheck: Check = {
  name: 'no-loss-while-apiservers-restart',
  disruptive: true,
  run: (lab) =>
    noLossWhile(lab, async () => {
      for (const cluster of lab.plan.clusters) {
        await lab.processes.stop(apiserverId(cluster), 'SIGKILL');
        startApiserver(lab.processes, cluster);
        await waitForApiserver(lab.processes, cluster);
        await waitForMesh(lab.plan, cluster);
      }
    }),
};

/** No packet is lost while each operator in turn is killed and started again. */
const operatorsCheck: Check = {
  name: 'no-loss-while-operators-restart',
  disruptive: true,
  run: (lab) =>
    noLossWhile(lab, async () => {
      for (const cluster of lab.plan.clusters) {
        await lab.processes.stop(operatorId(cluster), 'SIGKILL');
        startOperator(lab.processes, cluster);
        await waitForOperator(lab.processes, cluster);
      }
    }),
};

/** Pods have the identities that they had after all agents at once were killed and started again. */
const identitiesCheck: Check = {
  name: 'identities-survive-agent-restarts',
  disruptive: true,
  run: (lab) => restoring(lab, () => expectSameIdentities(lab)),
};

async function expectSameIdentities(lab: Lab): Promise<string> {
  const before = await identities(lab);
  for (const node of allNodes(lab)) lab.processes.signal(agentId(node), 'SIGKILL');
  for (const node of allNodes(lab)) await lab.processes.stop(agentId(node), 'SIGKILL');
  await Promise.all(lab.plan.clusters.flatMap((cluster) => cluster.nodes.map((node) => startAgentAgain(lab, cluster, node))));
  const after = await identities(lab);
  const changed = [...before].filter(([pod, identity]) => after.get(pod) !== identity);
  expectThat(changed.length === 0, changed.map(([pod, identity]) => `${pod}: ${identity} became ${after.get(pod) ?? 'none'}`).join('; '));
  expectThat(before.size === allPods(lab).length, `only ${before.size} of ${allPods(lab).length} pods have an identity`);
  return `${before.size} pods keep ${new Set(before.values()).size} identities`;
}

/** The checks that kill processes which must not be missed. */
export const restartChecks: readonly Check[] = [identitiesCheck, agentsCheck, apiserversCheck, operatorsCheck];

/** Starts an agent, and waits until it serves pods and the kernel has what it knows. */
async function startAgentAgain(lab: Lab, cluster: ClusterPlan, node: NodePlace): Promise<void> {
  startAgent(lab.processes, cluster, node);
  await waitForAgent(lab.processes, node);
  let seen: unknown;
  await waitUntil(
    async () => {
      const status = (await getJson(agentSocket(node), '/v1/status')) as { sinks: { behind: string[] } } | undefined;
      seen = status?.sinks;
      return status?.sinks.behind.length === 0;
    },
    { what: `the agent of ${node.id} to settle`, timeoutMs: SETTLE_TIMEOUT_MS, onTimeout: () => JSON.stringify(seen) },
  );
}

/** Identity of each pod, by `<cluster>/<pod>`. */
async function identities(lab: Lab): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const node of allNodes(lab))
    for (const { row } of await tableRows<EndpointRow>(node, 'endpoints')) found.set(`${node.cluster}/${row.pod}`, row.identity);
  return found;
}
