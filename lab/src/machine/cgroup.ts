import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@isthmus/core';
import { LAB_MACHINE } from '../lab.errors.ts';
import { mounts } from './mounts.ts';
import { waitUntil } from './wait-until.ts';

const KILL_TIMEOUT_MS = 10_000;

/**
 * Where cgroup2 is mounted: found by type, because hybrid machines have it below the old hierarchies.
 * @throws CodedError LAB_MACHINE
 */
export function cgroup2Root(): string {
  const found = mounts().find((mount) => mount.type === 'cgroup2');
  if (found) return found.path;
  throw new CodedError(LAB_MACHINE, 'no cgroup2 hierarchy is mounted', {
    object: 'cgroup2',
    action: 'Mount one: mount -t cgroup2 cgroup2 /sys/fs/cgroup',
  });
}

/** Makes a cgroup and those above it. */
export function createCgroup(path: string): void {
  mkdirSync(join(cgroup2Root(), path), { recursive: true });
}

/** Every process in a cgroup and below it. An absent cgroup has none. */
export function cgroupProcesses(path: string): number[] {
  const folder = join(cgroup2Root(), path);
  return [folder, ...subfolders(folder)].flatMap(processesIn);
}

/** Kills every process in a cgroup and below it, waits until they are gone, and removes it. An absent one is fine. */
export async function removeCgroup(path: string): Promise<void> {
  const folder = join(cgroup2Root(), path);
  if (!existsSync(folder)) return;
  writeFileSync(join(folder, 'cgroup.kill'), '1');
  await waitUntil(() => !readFileSync(join(folder, 'cgroup.events'), 'utf8').includes('populated 1'), {
    what: `the processes in cgroup ${path} to end`,
    timeoutMs: KILL_TIMEOUT_MS,
    onTimeout: () => `left: ${cgroupProcesses(path).join(' ')}`,
  });
  for (const one of [folder, ...subfolders(folder)].reverse()) rmdirSync(one);
}

/** Parents before children. */
function subfolders(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return children.flatMap((entry) => [join(folder, entry.name), ...subfolders(join(folder, entry.name))]);
}

function processesIn(folder: string): number[] {
  const list = join(folder, 'cgroup.procs');
  return existsSync(list) ? readFileSync(list, 'utf8').split('\n').filter(Boolean).map(Number) : [];
}
