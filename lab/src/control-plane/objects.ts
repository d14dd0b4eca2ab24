import { apiVersionOf, POD, type Pod } from '@isthmus/model';
import { repositoryFile } from '../toolchain.ts';
import type { ClusterPlan, LabPlan, PodPlace } from '../topology/plan.ts';
import { isthmus } from './isthmus-command.ts';

/** The object of one of the lab's pods, as whoever schedules it writes it before the CNI plugin is called. */
export function podObject(pod: PodPlace): Pod {
  return {
    apiVersion: apiVersionOf(POD),
    kind: POD.kind,
    metadata: { name: pod.name, namespace: 'default', labels: pod.labels },
    spec: { nodeName: pod.node },
  };
}

/** `isthmus apply` of pods and of files in lab/manifests. */
export async function applyObjects(
  plan: LabPlan,
  cluster: ClusterPlan,
  pods: readonly PodPlace[],
  manifests: readonly string[] = [],
): Promise<void> {
  const files = manifests.flatMap((file) => ['-f', repositoryFile(`lab/manifests/${file}`)]);
  const input = pods.map((pod) => JSON.stringify(podObject(pod))).join('\n---\n');
  await isthmus(plan, cluster.control, ['apply', '--context', cluster.name, '-f', '-', ...files], { input });
}

/** `isthmus delete pod`; one that is not there is fine. */
export async function deletePodObject(plan: LabPlan, cluster: ClusterPlan, pod: PodPlace): Promise<void> {
  await isthmus(plan, cluster.control, ['delete', 'pod', pod.name, '--ignore-not-found', '--context', cluster.name]);
}
