import type { RemoteStatus } from '@isthmus/crypto';
import { apiserverId } from '../control-plane/apiserver.ts';
import { meshStatus, waitForMesh } from '../control-plane/mesh.ts';
import { wipe } from '../fault/etcd.faults.ts';
import { withFault } from '../fault/fault.ts';
import { kill } from '../fault/process.faults.ts';
import type { Lab } from '../lab.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { agentId, startAgent, waitForAgent } from '../node/agent.ts';
import { attachPod } from '../pod/attach-pod.ts';
import { extraPod, makeExtraPod, removeExtraPod } from '../pod/extra-pod.ts';
import type { ClusterPlan, NodePlace } from '../topology/plan.ts';
import { bpfRows } from './agent-view.ts';
import { type Check, expectThat } from './check.ts';
import { expectNoLoss, flowSet } from './flow-set.ts';
import { differences, type NodeState, type NodeStates, readNodeStates, untilAsBefore } from './node-state.ts';
import { allNodes } from './pairs.ts';
import { ping } from './ping.ts';

const NAME = 'extra';
const TIMEOUT_MS = 30_000;

/**
 * While one cluster's mesh etcd is first gone and then empty, no packet of any flow is lost and no row of any node changes, not even the
 * broken cluster's. The others go on with each other: a pod that comes is reachable, one that goes is forgotten, also by an agent that was
 * not there when it went, and which is ready without the broken cluster. In the end all is as before, and nobody was restarted for that.
 */
export const brokenClusterCheck: Check = {
  name: 'broken-cluster-harms-only-itself',
  disruptive: true,
  applies: (lab) => lab.plan.clusters.length > 2,
  async run(lab) {
    const broken = lab.plan.clusters.at(-1);
    const [first, second] = lab.plan.clusters.filter((cluster) => cluster !== broken);
    expectThat(broken !== undefined && first !== undefined && second !== undefined, 'there are too few clusters');
    const [from, to] = [first.nodes[0], second.nodes[0]];
    expectThat(from !== undefined && to !== undefined, 'a cluster has no node');
    const before = await readNodeStates(lab);
    let lived = '';
    const loss = await expectNoLoss(lab, await flowSet(lab), async () => {
      await withFault(lab, kill(apiserverId(broken)), async () => {
        await withoutMeshEtcd(lab, broken, [first, second]);
        lived = await goOn(lab, from, to);
        await expectUnchanged(lab, before, to);
      });
      for (const cluster of lab.plan.clusters) await waitForMesh(lab.plan, cluster);
      await untilAsBefore(lab, before);
    });
    return `${rowCount(before)} rows of ${before.size} nodes as before; ${lived}; ${loss}`;
  },
};

/** A cluster's mesh etcd is gone, then it is there and empty; the others tell both states. */
async function withoutMeshEtcd(lab: Lab, broken: ClusterPlan, others: readonly ClusterPlan[]): Promise<void> {
  const etcd = `${broken.name}/mesh-etcd`;
  await withFault(lab, kill(etcd), () => untilSaid(lab, others, broken, 'MESH_REMOTE_DISCONNECTED'));
  await wipe(etcd).inject(lab);
  await untilSaid(lab, others, broken, 'MESH_CONFIG_MISSING');
}

/** What healthy clusters do with each other, at the places where the broken one could be in the way. */
async function goOn(lab: Lab, from: NodePlace, to: NodePlace): Promise<string> {
  const [[neighbour], [asker]] = [from.pods, to.pods];
  expectThat(neighbour !== undefined && asker !== undefined, `${from.id} or ${to.id} has no pod`);
  // Of the same identity as another pod: one of its own would stay until the next two passes of the operator.
  const pod = { ...extraPod(lab, from, NAME), labels: neighbour.labels };
  try {
    await makeExtraPod(lab, pod);
    await attachPod(lab.plan, from, pod);
    const { ipv4 } = lab.podAddresses(pod);
    const known = async (): Promise<boolean> => (await bpfRows<{ prefix: string }>(to, 'ipcache')).some(({ prefix }) => prefix === ipv4);
    await waitUntil(known, { what: `${to.id} to know ${ipv4}`, timeoutMs: TIMEOUT_MS });
    expectThat(await ping(lab, asker, ipv4), `${asker.id} does not reach ${pod.id} (${ipv4})`);
    await lab.processes.stop(agentId(to), 'SIGKILL');
    await removeExtraPod(lab, from, pod);
    startAgent(lab.processes, lab.cluster(to.cluster), to);
    await waitForAgent(lab.processes, to);
    const forgotten = async (): Promise<boolean> => !(await known());
    await waitUntil(forgotten, { what: `${to.id} to forget ${ipv4}`, timeoutMs: TIMEOUT_MS });
    return `${from.cluster} and ${to.cluster} went on: a pod came and went, an agent came back`;
  } finally {
    startAgent(lab.processes, lab.cluster(to.cluster), to);
    await removeExtraPod(lab, from, pod);
  }
}

/** @param restarted its agent wrote everything again */
async function expectUnchanged(lab: Lab, before: NodeStates, restarted: NodePlace): Promise<void> {
  let wrong: string[] = [];
  await waitUntil(
    async () => {
      const now = await readNodeStates(lab);
      wrong = allNodes(lab).flatMap((node) =>
        differences(node.id, before.get(node.id) as NodeState, now.get(node.id), { untouched: node !== restarted }),
      );
      return wrong.length === 0;
    },
    { what: 'every row to be as before', timeoutMs: TIMEOUT_MS, onTimeout: () => wrong.slice(0, 5).join('; ') },
  );
}

/** Waits until each cluster says this of the broken one, and that all others are ready. */
async function untilSaid(lab: Lab, clusters: readonly ClusterPlan[], broken: ClusterPlan, code: string): Promise<void> {
  for (const cluster of clusters) {
    let said: readonly RemoteStatus[] = [];
    const holds = async (): Promise<boolean> => {
      said = await meshStatus(lab.plan, cluster);
      return said.every(({ name, ready, problem }) => (name === broken.name ? problem?.code === code : ready));
    };
    const onTimeout = (): string => said.map(({ name, state, problem }) => `${name} ${state} ${problem?.code ?? ''}`).join(', ');
    await waitUntil(holds, { what: `${cluster.name} to say ${code} of ${broken.name}`, timeoutMs: TIMEOUT_MS, onTimeout });
  }
}

function rowCount(states: NodeStates): number {
  return [...states.values()].reduce((sum, state) => sum + state.size, 0);
}
