import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { mounts } from '../machine/mounts.ts';
import { runCommand } from '../machine/run-command.ts';
import { allPlaces, type LabPlan } from '../topology/plan.ts';
import type { Batch } from './batch.ts';
import { hookBatches, namespaceSysctls, networkBatches } from './network-script.ts';

const NETNS_FOLDER = '/run/netns';

/** Makes a lab's network namespaces, devices, addresses and routes. */
export async function createNetwork(plan: LabPlan): Promise<void> {
  for (const place of allPlaces(plan)) await addNamespace(place.netns, namespaceSysctls(plan));
  for (const batch of networkBatches(plan)) await runBatch('ip', batch);
  for (const batch of hookBatches(plan)) await runBatch('tc', batch);
}

/** Runs lines of `ip` or `tc` in their namespace. */
export async function runBatch(program: 'ip' | 'tc', { netns, lines }: Batch): Promise<void> {
  await runCommand([program, '-n', netns, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

/** Names of the network namespaces that begin with a prefix. */
export function namespacesWith(prefix: string): string[] {
  return existsSync(NETNS_FOLDER) ? readdirSync(NETNS_FOLDER).filter((name) => name.startsWith(prefix)) : [];
}

/** Removes the network namespaces that begin with a prefix. Their devices go with them. */
export async function removeNetwork(prefix: string): Promise<void> {
  for (const netns of namespacesWith(prefix)) await runCommand(['ip', 'netns', 'delete', netns]);
  await removeEmptyFolder();
}

/** The first `ip netns add` mounts the folder onto itself; when nobody has a namespace left, that mount is nobody's. */
async function removeEmptyFolder(): Promise<void> {
  if (!existsSync(NETNS_FOLDER) || readdirSync(NETNS_FOLDER).length > 0) return;
  if (mounts().some((mount) => mount.path === NETNS_FOLDER)) await runCommand(['umount', NETNS_FOLDER]);
  rmdirSync(NETNS_FOLDER);
}

/** Makes one network namespace, with the settings of all of them, or with these. */
export async function addNamespace(netns: string, sysctls: readonly string[] = namespaceSysctls()): Promise<void> {
  await runCommand(['ip', 'netns', 'add', netns]);
  await runCommand(['nsenter', `--net=${join(NETNS_FOLDER, netns)}`, 'sysctl', '-qw', ...sysctls]);
}

/** Removes one network namespace. */
export async function deleteNamespace(netns: string): Promise<void> {
  await runCommand(['ip', 'netns', 'delete', netns]);
}
