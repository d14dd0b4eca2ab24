import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

/** A cgroup of the test's own; empty it before removing. */
export function createCgroup(label: string): { path: string; remove(): void } {
  const path = join(cgroup2Mount(), `isthbpf-${process.pid}-${label}`);
  mkdirSync(path);
  return { path, remove: () => rmdirSync(path) };
}

/** Where the cgroup2 hierarchy is mounted; on hybrid hosts that is not /sys/fs/cgroup itself. */
function cgroup2Mount(): string {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const found = mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2')?.[1];
  if (found === undefined) throw new Error('no cgroup2 mount');
  return found;
}
