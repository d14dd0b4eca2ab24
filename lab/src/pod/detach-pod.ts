import { rmSync } from 'node:fs';
import { CodedError } from '@isthmus/core';
import { LAB_COMMAND } from '../lab.errors.ts';
import type { LabPlan, NodePlace, PodPlace } from '../topology/plan.ts';
import { callCni, resultPath } from './attach-pod.ts';

/**
 * Takes a pod's interface away, as a container runtime does. Its processes go on: they have no network until it is attached again.
 * @throws CodedError LAB_COMMAND with the plugin's error
 */
export async function detachPod(plan: LabPlan, node: NodePlace, pod: PodPlace): Promise<void> {
  const { status, stdout } = await callCni(node, pod, 'DEL');
  if (status !== 0) throw new CodedError(LAB_COMMAND, `CNI DEL of ${pod.id} failed: ${stdout.trim()}`, { object: pod.id });
  rmSync(resultPath(plan, pod), { force: true });
}
