import { applyObjects, deletePodObject } from '../control-plane/objects.ts';
import type { Lab } from '../lab.ts';
import { createCgroup, removeCgroup } from '../machine/cgroup.ts';
import { addNamespace, deleteNamespace, namespacesWith } from '../network/network.ts';
import type { NodePlace, PodPlace } from '../topology/plan.ts';
import { callCni } from './attach-pod.ts';

/** The place of a pod that the topology does not have; names are the node's, so that taking the lab down finds it. */
export function extraPod(lab: Lab, node: NodePlace, name: string): PodPlace {
  const hostname = `${node.cluster}-${name}`;
  return {
    id: `${node.cluster}/${name}`,
    netns: `${lab.plan.paths.netnsPrefix}${hostname}`,
    hostname,
    cgroup: `${node.cgroup}/pods/${name}`,
    name,
    cluster: node.cluster,
    node: node.name,
    labels: { app: name },
  };
}

/** Makes the pod's namespace, cgroup and object; it has no network yet. */
export async function makeExtraPod(lab: Lab, pod: PodPlace): Promise<void> {
  await makeExtraPods(lab, [pod]);
}

/** The same for several pods of one cluster. */
export async function makeExtraPods(lab: Lab, pods: readonly PodPlace[]): Promise<void> {
  for (const pod of pods) {
    createCgroup(pod.cgroup);
    await addNamespace(pod.netns);
  }
  const [first] = pods;
  if (first) await applyObjects(lab.plan, lab.cluster(first.cluster), pods);
}

/** Removes the pod with all that it has; also one that is half made. */
export async function removeExtraPod(lab: Lab, node: NodePlace, pod: PodPlace): Promise<void> {
  await callCni(node, pod, 'DEL');
  if (namespacesWith(pod.netns).includes(pod.netns)) await deleteNamespace(pod.netns);
  await removeCgroup(pod.cgroup);
  await deletePodObject(lab.plan, lab.cluster(pod.cluster), pod);
}
