import { rmdirSync, rmSync } from 'node:fs';
import { CodedError } from '@isthmus/core';
import { LAB_LEFTOVERS } from './lab.errors.ts';
import { leftovers, processIdsOf } from './leftovers.ts';
import { removeCgroup } from './machine/cgroup.ts';
import { unmountBelow } from './machine/lab-mounts.ts';
import { waitUntil } from './machine/wait-until.ts';
import { removeNetwork } from './network/network.ts';
import { startTime } from './process/process-stat.ts';
import { DATA_ROOT, labPaths, STATE_ROOT } from './topology/lab-paths.ts';

/**
 * Removes all of a lab by its name alone: whatever state an interrupted command left it in, and also when there is nothing.
 * Processes go first (they hold mounts and links), then namespaces, then mounts with their pins, then folders.
 * @throws CodedError LAB_LEFTOVERS naming what is still there
 */
export async function takeDown(lab: string): Promise<void> {
  const paths = labPaths(lab);
  const running = processIdsOf(lab, paths.cgroup).map((pid) => ({ pid, started: startTime(pid) }));
  await removeCgroup(paths.cgroup);
  await killRest(running);
  await removeNetwork(paths.netnsPrefix);
  await unmountBelow(paths.state);
  rmSync(paths.state, { recursive: true, force: true });
  rmSync(paths.data, { recursive: true, force: true });
  for (const root of [STATE_ROOT, DATA_ROOT]) removeEmpty(root);
  const left = leftovers(lab);
  if (left.length === 0) return;
  throw new CodedError(LAB_LEFTOVERS, `lab ${lab} left behind ${left.map(({ kind, name }) => `${kind} ${name}`).join(', ')}`, {
    object: lab,
  });
}

/** Other labs come and go meanwhile: whether it is empty is for the kernel to say. */
function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Kills what carries the lab's name but was in no cgroup of it. An id that by now is somebody else's has another start time. */
async function killRest(processes: readonly { pid: number; started: string | undefined }[]): Promise<void> {
  for (const { pid, started } of processes) {
    const isRunning = (): boolean => started !== undefined && startTime(pid) === started;
    if (!isRunning()) continue;
    process.kill(pid, 'SIGKILL');
    await waitUntil(() => !isRunning(), { what: `process ${pid} to end`, timeoutMs: 5_000, everyMs: 5 });
  }
}
