import { CodedError } from '@isthmus/core';
import { BENCH_UNFAIR } from '../bench.errors.ts';
import type { BenchLabs } from './bench-labs.ts';

/**
 * Checks that both labs have the same MTU and the same offloads on every device that packets are cut at: those of the pods and those of
 * the nodes on the underlay.
 * @throws CodedError BENCH_UNFAIR
 */
export async function requireSameDevices(program: string, { ours, plain }: BenchLabs): Promise<void> {
  const nodes = ours.plan.clusters.flatMap((cluster) => cluster.nodes);
  for (const { id } of nodes.flatMap((node) => [node, ...node.pods])) {
    const answers = await Promise.all([ours, plain].map((lab) => lab.exec(id, [program, 'device', 'eth0'])));
    const [own = '', other = ''] = answers.map(({ stdout, stderr }) => stdout.trim() || stderr.trim());
    if (own === other && own.startsWith('mtu')) continue;
    throw new CodedError(BENCH_UNFAIR, `eth0 of ${id}: ours has ${own}, the peer has ${other}`, { object: id });
  }
}
