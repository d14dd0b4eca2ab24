import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Lab } from '@isthmus/lab';

/** A process that serves a WireGuard device of a lab's node. */
export interface WireGuardProcess {
  readonly pid: number;
  readonly netns: string;
  readonly device: string;
}

/** All of them. They are in the background, and descend from nobody who is known. */
export function wireguardProcesses({ plan }: Lab): WireGuardProcess[] {
  const nodes = plan.clusters.flatMap((cluster) => cluster.nodes);
  const names = new Map(nodes.map(({ netns }) => [`net:[${statSync(`/run/netns/${netns}`).ino}]`, netns]));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => serving(Number(name), names));
}

function serving(pid: number, names: ReadonlyMap<string, string>): WireGuardProcess[] {
  try {
    const [program = '', ...words] = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').filter(Boolean);
    if (basename(program) !== 'wireguard-go') return [];
    const netns = names.get(readlinkSync(`/proc/${pid}/ns/net`));
    return netns === undefined ? [] : [{ pid, netns, device: words.at(-1) ?? '' }];
  } catch {
    return []; // It ended since.
  }
}
