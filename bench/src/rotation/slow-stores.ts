import { existsSync } from 'node:fs';
import { ETCD_PORT, type LabPlan, MESH_ETCD_PORT, planLab, type Topology, waitUntil } from '@isthmus/lab';
import { ChildProgram } from '../bfd-stalls/child-program.ts';
import type { DelayLineArguments } from './delay-line.ts';

const PROGRAM = new URL('./delay-line.ts', import.meta.url).pathname;
/** How far the ports that others are told are above those of the etcds. */
const ABOVE = 1_000;
const TIMEOUT_MS = 60_000;

/** The same topology, in which nodes and other clusters are told of the etcds only where {@link SlowStores} listens. */
export function withSlowStores(name: string, topology: Topology, config: Readonly<Record<string, string>>): Topology {
  const { clusters } = planLab(name, topology);
  const urlOf = (index: number, port: number): string => `https://${clusters[index]!.control.addresses.ipv4}:${port + ABOVE}`;
  return {
    ...topology,
    clusters: topology.clusters.map((cluster, index) => {
      const endpoints = { 'cluster-etcd-endpoints': urlOf(index, ETCD_PORT), 'mesh-etcd-endpoints': urlOf(index, MESH_ETCD_PORT) };
      return { ...cluster, config: { ...cluster.config, ...config, ...endpoints } };
    }),
  };
}

/** Delay lines before the etcds of a lab: what is written is seen by others a delay later, half of which is the writer's and half the reader's. */
export class SlowStores {
  readonly #lines: ChildProgram[] = [];

  /** Starts them as soon as the lab's network is there, while the lab comes up. */
  async start({ clusters }: LabPlan, delayMs: number): Promise<void> {
    const told: DelayLineArguments = {
      delayMs: delayMs / 2,
      ports: [ETCD_PORT, MESH_ETCD_PORT].map((port) => ({ at: port + ABOVE, to: port })),
    };
    for (const { control } of clusters) {
      const isThere = (): boolean => existsSync(`/run/netns/${control.netns}`);
      await waitUntil(isThere, { what: `the network of ${control.id}`, timeoutMs: TIMEOUT_MS });
      const argv = [process.execPath, ...process.execArgv, PROGRAM, JSON.stringify(told)];
      this.#lines.push(new ChildProgram(['ip', 'netns', 'exec', control.netns, ...argv]));
    }
  }

  async stop(): Promise<void> {
    for (const line of this.#lines.splice(0)) await line.stop();
  }
}
