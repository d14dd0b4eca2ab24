import { readFileSync } from 'node:fs';
import { delay, systemClock } from '@isthmus/core';
import { agentId, Lab, type NodePlace, waitForAgent, waitUntil } from '@isthmus/lab';
import { processTime } from '../cpu-time.ts';

const [LAB, TOPOLOGY] = ['bench', 'two-clusters'];
const BETWEEN_SAMPLES_MS = 500;
/** An agent is idle when it took at most so many ticks of processor time within so many milliseconds. */
const IDLE = { ticks: 10, milliseconds: 5_000, timeoutMs: 120_000 } as const;

/** All agents of a mesh that does nothing. */
export class AgentsAtRest {
  readonly #lab: Lab;
  readonly #nodes: readonly NodePlace[];
  #restarts = 0;

  private constructor(lab: Lab) {
    this.#lab = lab;
    this.#nodes = lab.plan.clusters.flatMap((cluster) => cluster.nodes);
  }

  /** Brings the mesh up and waits until its agents rest. What an earlier run left is removed first. */
  static async open(progress: (line: string) => void): Promise<AgentsAtRest> {
    await AgentsAtRest.remove();
    const agents = new AgentsAtRest(await Lab.up(TOPOLOGY, { name: LAB, progress }));
    for (const node of agents.#nodes) await agents.#waitUntilIdle(node);
    return agents;
  }

  /** Removes it, also when it was brought up half way. */
  static remove(): Promise<void> {
    return Lab.down(LAB);
  }

  /** Processes of the mesh. */
  pids(): number[] {
    return this.#lab.processes.list().map(({ pid }) => pid);
  }

  /** Resident memory of the largest agent, in millions of bytes: shared libraries count in full for each. */
  async largestMemory(): Promise<number> {
    await delay(systemClock, BETWEEN_SAMPLES_MS);
    return Math.max(...this.#nodes.map((node) => residentKib(this.#pid(node)))) * 1.024e-3;
  }

  /** Stops the next agent as an upgrade does, starts it, and answers the seconds from there until it serves pods. */
  async restartNext(): Promise<number> {
    const { processes } = this.#lab;
    const node = this.#nodes[this.#restarts++ % this.#nodes.length] as NodePlace;
    const { argv } = processes.get(agentId(node));
    await processes.stop(agentId(node));
    const started = performance.now();
    processes.start({ id: agentId(node), place: node, argv });
    await waitForAgent(processes, node);
    return (performance.now() - started) / 1000;
  }

  #pid(node: NodePlace): number {
    return this.#lab.processes.get(agentId(node)).pid;
  }

  async #waitUntilIdle(node: NodePlace): Promise<void> {
    let before = Number.POSITIVE_INFINITY;
    const isIdle = (): boolean => {
      const ticks = processTime(readFileSync(`/proc/${this.#pid(node)}/stat`, 'utf8'))?.ticks ?? 0;
      const spent = ticks - before;
      before = ticks;
      return spent >= 0 && spent <= IDLE.ticks;
    };
    await waitUntil(isIdle, { what: `the agent of ${node.id} to be idle`, timeoutMs: IDLE.timeoutMs, everyMs: IDLE.milliseconds });
  }
}

function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
