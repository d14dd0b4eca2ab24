import { join } from 'node:path';
import { type CommandOptions, type CommandResult, runCommand, tryCommand } from '../machine/run-command.ts';
import { enterPlace } from '../process/enter-place.ts';
import { appCommand } from '../toolchain.ts';
import type { ClusterPlan, LabPlan, Place } from '../topology/plan.ts';
import { clusterFiles, controlUrls, ETCD_PORT, joinApiAddress, writeEtcdClientFile } from './cluster-files.ts';

/** The file with the lab's contexts: one per cluster, named after it. */
export function contextFile(plan: LabPlan): string {
  return join(plan.paths.data, 'isthmus-config');
}

/** Environment in which `isthmus` knows the lab's clusters. */
export function isthmusEnvironment(plan: LabPlan): Record<string, string> {
  return { ISTHMUS_CONFIG: contextFile(plan) };
}

/**
 * Runs `isthmus` somewhere in the lab, with the lab's contexts, and answers its output.
 * @throws CodedError LAB_COMMAND with the command's own message
 */
export function isthmus(plan: LabPlan, place: Place, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return runCommand(enterPlace(place, appCommand('cli', args)), withContexts(plan, options));
}

/** The same, whatever its exit status. */
export function tryIsthmus(plan: LabPlan, place: Place, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return tryCommand(enterPlace(place, appCommand('cli', args)), withContexts(plan, options));
}

function withContexts(plan: LabPlan, options: CommandOptions): CommandOptions {
  return { ...options, env: { ...options.env, ...isthmusEnvironment(plan) } };
}

/** Makes the context through which the lab, and whoever plays with it, talks to a cluster. */
export async function writeContext(plan: LabPlan, cluster: ClusterPlan): Promise<void> {
  const { config, pki } = clusterFiles(cluster);
  const { cert, key } = pki.clients.admin;
  const etcd = writeEtcdClientFile(join(config, 'admin.yaml'), {
    endpoints: controlUrls(cluster, ETCD_PORT),
    ca: pki.ca.cert,
    client: pki.clients.admin,
  });
  const flags = ['--endpoint', joinApiAddress(cluster), '--ca', pki.ca.cert, '--cert', cert, '--key', key, '--etcd', etcd];
  await isthmus(plan, cluster.control, ['context', 'set', cluster.name, ...flags]);
}
