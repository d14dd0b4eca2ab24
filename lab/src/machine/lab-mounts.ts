import { existsSync, mkdirSync } from 'node:fs';
import { mounts } from './mounts.ts';
import { runCommand } from './run-command.ts';

/** Mounts a BPF file system of the lab's own. The machine's, if it has one, stays as it is. */
export async function mountBpf(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await runCommand(['mount', '-t', 'bpf', 'bpf', folder]);
}

/** Room for the endpoints of a node many times over, and little enough to be filled at once by whoever wants to see that. */
const STATE_DISK_SIZE = '16m';

/** Gives an agent's state a file system of its own, as nodes often have it: one that can be full while nothing else is. */
export async function mountStateDisk(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await runCommand(['mount', '-t', 'tmpfs', '-o', `size=${STATE_DISK_SIZE},mode=0700`, 'isthmus-state', folder]);
}

/** Unmounts whatever is mounted at a folder or below it, last first. Pins go with their file system. */
export async function unmountBelow(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  for (const path of mountsBelow(folder).reverse()) await runCommand(['umount', path]);
}

/** What is mounted at a folder or below it. */
export function mountsBelow(folder: string): string[] {
  return mounts()
    .map((mount) => mount.path)
    .filter((path) => path === folder || path.startsWith(`${folder}/`));
}
