import type { CacheLab } from '../mesh/cache-lab.ts';

const PROBE = new URL('./heap-probe.ts', import.meta.url).pathname;

/** Bytes in use of the heap of a lab's agent after a full collection: by the inspector that every Node process opens on SIGUSR1. */
export async function agentHeap({ lab, node, agentPid }: CacheLab): Promise<number> {
  process.kill(agentPid, 'SIGUSR1');
  const { status, stdout, stderr } = await lab.exec(node, [process.execPath, PROBE]);
  if (status !== 0) throw new Error(`the heap of the agent cannot be measured: ${stderr.trim()}`);
  return Number(stdout);
}
