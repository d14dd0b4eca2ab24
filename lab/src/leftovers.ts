import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroup2Root, cgroupProcesses } from './machine/cgroup.ts';
import { mountsBelow } from './machine/lab-mounts.ts';
import { namespacesWith } from './network/network.ts';
import { LAB_VARIABLE } from './process/enter-place.ts';
import { labPaths } from './topology/lab-paths.ts';

/** Something on the machine that carries a lab's name. */
export interface Leftover {
  readonly kind: 'process' | 'network namespace' | 'BPF pin' | 'mount' | 'cgroup' | 'folder';
  readonly name: string;
}

/**
 * Everything on the machine that carries the lab's name, found by looking at the machine, not at what the lab remembers. Devices are
 * not looked for: all of a lab's are born in its namespaces and go with them.
 */
export function leftovers(lab: string): Leftover[] {
  const paths = labPaths(lab);
  const named = (kind: Leftover['kind'], names: readonly string[]): Leftover[] => names.map((name) => ({ kind, name }));
  return [
    ...named('process', processesOf(lab, paths.cgroup)),
    ...named('network namespace', namespacesWith(paths.netnsPrefix)),
    ...named('BPF pin', pinsBelow(paths.bpf)),
    ...named('mount', mountsBelow(paths.state)),
    ...named(
      'cgroup',
      [join(cgroup2Root(), paths.cgroup)].filter((path) => existsSync(path)),
    ),
    ...named(
      'folder',
      [paths.state, paths.data].filter((path) => existsSync(path)),
    ),
  ];
}

/** Process ids: members of the lab's cgroup, and whoever has the lab's name in its environment and has left it. */
export function processIdsOf(lab: string, cgroup: string): number[] {
  const inside = cgroupProcesses(cgroup);
  const marked = readdirSync('/proc')
    .filter((entry) => /^[0-9]+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid && environmentOf(pid).includes(`${LAB_VARIABLE}=${lab}`));
  return [...new Set([...inside, ...marked])];
}

function processesOf(lab: string, cgroup: string): string[] {
  return processIdsOf(lab, cgroup).map((pid) => `${pid} ${readProc(pid, 'cmdline').replaceAll('\0', ' ').trim()}`);
}

function environmentOf(pid: number): string[] {
  return readProc(pid, 'environ').split('\0');
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // The process ended while we looked.
  }
}

function pinsBelow(folder: string): string[] {
  if (mountsBelow(folder).length === 0) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}
