import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CodedError } from '@isthmus/core';
import { LAB_COMMAND } from '../lab.errors.ts';
import { tryCommand } from '../machine/run-command.ts';
import { enterPlace } from '../process/enter-place.ts';
import { repositoryFile } from '../toolchain.ts';
import type { Addresses, LabPlan, NodePlace, PodPlace } from '../topology/plan.ts';

/** The plugin, where it is built. */
export const CNI_PLUGIN = repositoryFile('apps/cni/build/isthmus-cni');
const NETWORK = { cniVersion: '1.1.0', name: 'isthmus', type: 'isthmus-cni' } as const;

/** What a runtime may ask of the plugin for one pod. */
export type CniCommand = 'ADD' | 'DEL' | 'CHECK' | 'STATUS';

/** The answer of the plugin, an error's included. */
export interface CniAnswer {
  readonly status: number;
  readonly stdout: string;
}

/** Calls the CNI plugin on the pod's node, as a container runtime does. */
export async function callCni(node: NodePlace, pod: PodPlace, command: CniCommand, prevResult?: unknown): Promise<CniAnswer> {
  const env = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: pod.netns,
    CNI_NETNS: `/run/netns/${pod.netns}`,
    CNI_IFNAME: 'eth0',
    CNI_ARGS: `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod.name}`,
    CNI_PATH: dirname(CNI_PLUGIN),
  };
  const config = prevResult === undefined ? NETWORK : { ...NETWORK, prevResult };
  return tryCommand(enterPlace(node, [CNI_PLUGIN]), { input: JSON.stringify(config), env });
}

/**
 * Gives a pod its interface and keeps the plugin's answer.
 * @throws CodedError LAB_COMMAND with the plugin's error
 */
export async function attachPod(plan: LabPlan, node: NodePlace, pod: PodPlace): Promise<void> {
  const { status, stdout } = await callCni(node, pod, 'ADD');
  if (status !== 0) throw new CodedError(LAB_COMMAND, `CNI ADD of ${pod.id} failed: ${stdout.trim()}`, { object: pod.id });
  const path = resultPath(plan, pod);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, stdout);
}

/** Whether a pod has been attached. */
export function isAttached(plan: LabPlan, pod: PodPlace): boolean {
  return existsSync(resultPath(plan, pod));
}

/** The addresses that a pod got from its last {@link attachPod}. */
export function podAddresses(plan: LabPlan, pod: PodPlace): Addresses {
  const { ips } = JSON.parse(readFileSync(resultPath(plan, pod), 'utf8')) as { ips: { address: string }[] };
  const addresses = ips.map(({ address }) => address.split('/')[0] ?? '');
  return {
    ipv4: addresses.find((address) => !address.includes(':')) ?? '',
    ipv6: addresses.find((address) => address.includes(':')) ?? '',
  };
}

/** Where the plugin's answer to a pod's ADD is kept while the pod is attached. */
export function resultPath(plan: LabPlan, pod: PodPlace): string {
  return join(plan.paths.state, 'pods', `${pod.hostname}.json`);
}
