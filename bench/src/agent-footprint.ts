import { readFileSync } from 'node:fs';
import { delay, systemClock } from '@isthmus/core';
import { agentId, Lab, type NodePlace, waitForAgent, waitUntil } from '@isthmus/lab';
import type { Bench } from './benches.ts';
import { processTime } from './cpu-time.ts';

const LAB = 'bench';
const TOPOLOGY = 'two-clusters';
/** Of both goals; one sample each would do if the machine were quiet. */
const ROUNDS = 15;
const MAX_MEMORY_MB = 120;
const MAX_START_S = 2;
const BETWEEN_SAMPLES_MS = 500;
/** An agent is idle when it took at most so many ticks of processor time within so many milliseconds. */
const IDLE = { ticks: 10, milliseconds: 5_000, timeoutMs: 120_000 } as const;

/**
 * What an agent costs a node that does nothing: the memory of the largest of all agents of a mesh, and how long one that is started anew
 * takes until it serves pods. Both are absolute goals.
 */
export const agentFootprint: Bench = {
  name: 'agent-footprint',
  about: 'memory of an idle agent, and the time it takes to start',
  open: async (progress) => {
    await Lab.down(LAB);
    const lab = await Lab.up(TOPOLOGY, { name: LAB, progress });
    const nodes = lab.plan.clusters.flatMap((cluster) => cluster.nodes);
    for (const node of nodes) await waitUntilIdle(lab, node);
    const goal = (value: number) => ({ must: 'be at most', value }) as const;
    const common = { better: 'lower' as const, rounds: ROUNDS, peer: null };
    return {
      cases: [
        { ...common, name: 'rss-idle', unit: 'MB', noisy: false, goal: goal(MAX_MEMORY_MB), ours: () => largestMemory(lab, nodes) },
        { ...common, name: 'start-to-ready', unit: 's', noisy: true, goal: goal(MAX_START_S), ours: restarter(lab, nodes) },
      ],
      ownProcesses: () => lab.processes.list().map(({ pid }) => pid),
    };
  },
  remove: () => Lab.down(LAB),
};

/** Resident memory of the largest agent, in millions of bytes: shared libraries count in full for each. */
async function largestMemory(lab: Lab, nodes: readonly NodePlace[]): Promise<number> {
  await delay(systemClock, BETWEEN_SAMPLES_MS);
  return Math.max(...nodes.map((node) => residentKib(lab.processes.get(agentId(node)).pid))) * 1.024e-3;
}

function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Each call stops the next agent as an upgrade does, starts it, and answers the seconds from there until it serves pods. */
function restarter(lab: Lab, nodes: readonly NodePlace[]): () => Promise<number> {
  let calls = 0;
  return async () => {
    const node = nodes[calls++ % nodes.length] as NodePlace;
    const { argv } = lab.processes.get(agentId(node));
    await lab.processes.stop(agentId(node));
    const started = performance.now();
    lab.processes.start({ id: agentId(node), place: node, argv });
    await waitForAgent(lab.processes, node);
    return (performance.now() - started) / 1000;
  };
}

async function waitUntilIdle(lab: Lab, node: NodePlace): Promise<void> {
  let before = Number.POSITIVE_INFINITY;
  const isIdle = (): boolean => {
    const ticks = processTime(readFileSync(`/proc/${lab.processes.get(agentId(node)).pid}/stat`, 'utf8'))?.ticks ?? 0;
    const spent = ticks - before;
    before = ticks;
    return spent >= 0 && spent <= IDLE.ticks;
  };
  await waitUntil(isIdle, { what: `the agent of ${node.id} to be idle`, timeoutMs: IDLE.timeoutMs, everyMs: IDLE.milliseconds });
}
