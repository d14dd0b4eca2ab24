import { readFileSync } from 'node:fs';
import { delay, messageOf, systemClock } from '@isthmus/core';
import { withFault } from '../fault/fault.ts';
import { cut } from '../fault/network.faults.ts';
import type { Lab } from '../lab.ts';
import { cgroupProcesses } from '../machine/cgroup.ts';
import { getJson } from '../machine/http-get.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { agentId, agentSocket, startAgent, waitForAgent } from '../node/agent.ts';
import { alwaysSniffs } from '../sniff/sniffer-links.ts';
import type { ClusterPlan, NodePlace } from '../topology/plan.ts';
import type { TrafficReport } from '../traffic/flow.ts';
import { type Check, expectThat } from './check.ts';
import { encryptionOf, hasEncryption, waitForEpoch, waitForEpochAmong } from './encryption-view.ts';
import { allPairFlows, type ScopedFlow, trafficWhile } from './flow-set.ts';
import { allNodes, allPods } from './pairs.ts';
import { ping } from './ping.ts';
import { whilePlain } from './plain-phase.ts';
import { nodeStreams } from './rotation-load.ts';
import { expectNothingForbidden, expectUnread, raiseEpoch } from './rotation-phase.ts';

const TIMEOUT_MS = 30_000;
const PARTITION_MS = 10_000;
/** The operator of a cluster waits for its own nodes before it follows another cluster: for as long as agents do, and some more. */
const LEFT_MS = 120_000;
/** In which a node that was cut off is reached again. */
const BACK_MS = 2_000;

/** The node that suffers: the last one. */
function victim(lab: Lab): { cluster: ClusterPlan; node: NodePlace } {
  const cluster = lab.plan.clusters.at(-1)!;
  return { cluster, node: cluster.nodes.at(-1)! };
}

/** Without WireGuard a node is closed, not plain; it comes back by itself, and nobody else notices. */
function killedDaemonsCheck(withAgent: boolean): Check {
  return {
    name: `closed-while-wireguard-${withAgent ? 'and-agent-are' : 'is'}-gone`,
    disruptive: true,
    applies: hasEncryption,
    async run(lab) {
      const { cluster, node } = victim(lab);
      await waitForEpoch(lab);
      if ((await encryptionOf(node))?.implementation === 'kernel') return 'the kernel has WireGuard: there is no process that could end';
      let killed = 0;
      const text = await othersUnharmed(lab, node, async () => {
        if (withAgent) await lab.processes.stop(agentId(node), 'SIGKILL');
        try {
          killed = killDaemons(node);
          await expectClosed(lab, node);
        } finally {
          startAgent(lab.processes, cluster, node); // does nothing where it runs
        }
        await waitForAgent(lab.processes, node);
        await waitForEpoch(lab);
      });
      return `${killed} processes of ${node.id} killed, closed, back by itself; between the others ${text}`;
    },
  };
}

/** A node on which there is no WireGuard is closed, takes no new pods, and says what is missing; with it, it is as before. */
const unavailableCheck: Check = {
  name: 'not-ready-without-wireguard',
  disruptive: true,
  applies: hasEncryption,
  async run(lab) {
    const { cluster, node } = victim(lab);
    await waitForEpoch(lab);
    if ((await encryptionOf(node))?.implementation === 'kernel') return 'the kernel has WireGuard: there are no programs to be without';
    let said = '';
    const text = await othersUnharmed(lab, node, async () => {
      await lab.processes.stop(agentId(node), 'SIGKILL');
      try {
        killDaemons(node);
        startAgent(lab.processes, cluster, node, { withoutWireGuard: true });
        said = await saysThatItWaits(node);
        await expectClosed(lab, node);
      } finally {
        await lab.processes.stop(agentId(node), 'SIGKILL');
        startAgent(lab.processes, cluster, node);
      }
      await waitForAgent(lab.processes, node);
      await waitForEpoch(lab);
    });
    return `${node.id} is closed, and waits for ${said}; between the others ${text}`;
  },
};

/** Waits until an agent says that it is not ready for want of encryption. @returns what it waits for */
function saysThatItWaits(node: NodePlace): Promise<string> {
  const said = async (): Promise<string | false> => {
    const status = (await getJson(agentSocket(node), '/v1/status')) as { ready?: boolean; waitingFor?: string } | undefined;
    const { problem } = (await encryptionOf(node)) ?? {};
    return status?.ready === false && problem !== undefined && status.waitingFor === `encryption: ${problem}` && status.waitingFor;
  };
  return waitUntil(said, { what: `${node.id} to say that it has no WireGuard`, timeoutMs: TIMEOUT_MS });
}

/** Ends the processes that serve a node's WireGuard devices. @returns how many there were */
function killDaemons(node: NodePlace): number {
  const pids = cgroupProcesses(node.cgroup).filter((pid) => commandOf(pid).includes('wireguard-go'));
  expectThat(pids.length > 0, `${node.id} has no wireguard-go`);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids.length;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return ''; // It has ended.
  }
}

async function expectClosed(lab: Lab, node: NodePlace): Promise<void> {
  const [from, to] = [allPods(lab).find((pod) => pod.node !== node.name || pod.cluster !== node.cluster)!, podOf(lab, node)];
  const closed = async (): Promise<boolean> => !(await ping(lab, from, lab.podAddresses(to).ipv4, { timeoutS: 1 }));
  await waitUntil(closed, { what: `${node.id} to be closed`, timeoutMs: TIMEOUT_MS });
}

function podOf(lab: Lab, node: NodePlace) {
  return allPods(lab).find((pod) => pod.node === node.name && pod.cluster === node.cluster)!;
}

/** Runs flows between all pods, and expects that those between other nodes lose nothing, and that nothing at all can be read. */
async function othersUnharmed(lab: Lab, node: NodePlace, disturb: () => Promise<void>): Promise<string> {
  const flows = allPairFlows(lab);
  const report = await trafficWhile(lab, flows, disturb, { sniff: true });
  return expectUnread(onlyOthers(report, flows, node));
}

function onlyOthers(report: TrafficReport, specs: readonly ScopedFlow[], node: NodePlace): TrafficReport {
  const others = new Set(specs.filter((spec) => ![spec.from, ...spec.to].some((place) => isOn(place, node))).map(({ name }) => name));
  return { ...report, flows: report.flows.filter(({ name }) => others.has(name)) };
}

function isOn(place: object, node: NodePlace): boolean {
  const { cluster, node: name } = place as { cluster?: string; node?: string };
  return cluster === node.cluster && name === node.name;
}

/** A node that is cut off while keys change: nobody else loses anything, and it is there again at once when it can be reached. */
const partitionCheck: Check = {
  name: 'partition-while-keys-rotate',
  disruptive: true,
  applies: hasEncryption,
  async run(lab) {
    const { node } = victim(lab);
    const before = await waitForEpoch(lab);
    let backMs = 0;
    const text = await othersUnharmed(lab, node, async () => {
      await raiseEpoch(lab, lab.plan.clusters[0]!);
      await withFault(lab, cut(node.id), () => delay(systemClock, PARTITION_MS));
      backMs = await reachedAfter(lab, node);
      await waitForEpoch(lab, before + 1);
    });
    expectThat(backMs <= BACK_MS, `${node.id} is reached again only ${backMs} ms after it was cut off for ${PARTITION_MS} ms`);
    return `${node.id} is back after ${backMs} ms; between the others ${text}`;
  },
};

async function reachedAfter(lab: Lab, node: NodePlace): Promise<number> {
  const healed = systemClock.now();
  const [from, to] = [allPods(lab)[0]!, podOf(lab, node)];
  const reached = (): Promise<boolean> => ping(lab, from, lab.podAddresses(to).ipv4, { timeoutS: 1 });
  await waitUntil(reached, { what: `${node.id} to be reached again`, timeoutMs: TIMEOUT_MS });
  return Math.round(systemClock.now() - healed);
}

/** A node that stays away while its old keys are needed no more is closed by the others; when it is there again it comes back by itself. */
const leftBehindCheck: Check = {
  name: 'rejoins-after-keys-went-on-without-it',
  disruptive: true,
  applies: hasEncryption,
  async run(lab) {
    const { node } = victim(lab);
    const [cluster] = lab.plan.clusters as [ClusterPlan];
    const others = allNodes(lab).filter((each) => each !== node);
    const before = await waitForEpoch(lab);
    const text = await othersUnharmed(lab, node, async () => {
      await withFault(lab, cut(node.id), async () => {
        for (const epoch of [before + 1, before + 2]) {
          await raiseEpoch(lab, cluster, ['--force']);
          await waitForEpochAmong(others, epoch, LEFT_MS);
        }
        await expectLeft(others, node);
      });
      await waitForEpoch(lab, before + 2);
    });
    return `${node.id} missed two changes of keys, was closed, and is back; between the others ${text}`;
  },
};

/** Waits until none of these nodes sends anything to another one. */
async function expectLeft(nodes: readonly NodePlace[], left: NodePlace): Promise<void> {
  const closed = async (): Promise<boolean> => {
    const views = await Promise.all(nodes.map(encryptionOf));
    return views.every((view) => view?.peers.find(({ name }) => name === left.id)?.tx === 'closed');
  };
  await waitUntil(closed, { what: `${left.id} to be closed`, timeoutMs: 2 * TIMEOUT_MS });
}

/** The sniffers do see what is plain: in a cluster whose agents do not encrypt. */
const controlCheck: Check = {
  name: 'sniffers-see-plain-packets',
  disruptive: true,
  applies: ({ plan }) => alwaysSniffs(plan),
  async run(lab) {
    await waitForEpoch(lab);
    return whilePlain(lab, () => seenPlain(lab, lab.plan.clusters[0]!));
  },
};

async function seenPlain(lab: Lab, cluster: ClusterPlan): Promise<string> {
  try {
    await restartAgents(lab, cluster, { 'enable-wireguard': 'false' });
    const flows = allPairFlows(lab).filter(
      ({ name, clusters }) => name.startsWith('across-nodes') && clusters.every((each) => each === cluster.name),
    );
    const options = { sniff: true, streams: nodeStreams(lab, cluster.nodes) };
    const report = await trafficWhile(lab, flows, async () => undefined, options);
    expectAllSeen(report, cluster);
    const { plaintext, kinds, lost } = report.sniffer!;
    expectThat(lost === 0, `the sniffers lost ${lost} events`);
    return `${plaintext} packets could be read while ${cluster.name} did not encrypt (${kinds.forbidden}); encrypted again after it`;
  } finally {
    await restartAgents(lab, cluster);
    await waitForEpoch(lab);
  }
}

/** Every flow and stream was read, and with that what others call clean is not. */
function expectAllSeen(report: TrafficReport, cluster: ClusterPlan): void {
  const unseen = [...report.flows, ...report.streams].filter(({ id }) => !report.sniffer?.flows.has(id));
  expectThat(
    unseen.length === 0,
    `nothing could be read of ${unseen.map(({ name }) => name).join(', ')} in ${cluster.name}, which does not encrypt`,
  );
  let failed = '';
  try {
    expectNothingForbidden(report.sniffer!);
  } catch (error) {
    failed = messageOf(error);
  }
  expectThat(failed !== '', 'a check would have been content with that');
  // Read or not, by their headers they are the tunnel's.
  expectThat(report.sniffer!.kinds.forbidden.includes(' tunnel'), `no packets of the tunnel among ${report.sniffer!.kinds.forbidden}`);
}

async function restartAgents(lab: Lab, cluster: ClusterPlan, settings: Record<string, string> = {}): Promise<void> {
  for (const node of cluster.nodes) {
    await lab.processes.stop(agentId(node), 'SIGTERM');
    startAgent(lab.processes, cluster, node, { settings });
  }
  for (const node of cluster.nodes) await waitForAgent(lab.processes, node);
}

/** What holds where nodes encrypt and something goes wrong. */
export const encryptionFaultChecks: readonly Check[] = [
  killedDaemonsCheck(false),
  killedDaemonsCheck(true),
  unavailableCheck,
  partitionCheck,
  leftBehindCheck,
  controlCheck,
];
