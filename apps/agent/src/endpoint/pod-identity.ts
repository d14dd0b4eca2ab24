import { CodedError } from '@isthmus/core';
import { podIdentityLabels } from '@isthmus/identity';
import { NAMESPACE, POD, type ResourceStore } from '@isthmus/model';
import { POD_NOT_FOUND } from '../agent.errors.ts';

/** The parts of a pod that make its identity. */
export interface PodLabels {
  readonly metadata: { readonly namespace?: string | undefined; readonly labels?: Readonly<Record<string, string>> | undefined };
  readonly spec?: { readonly serviceAccountName?: string | undefined } | undefined;
}

/** Identity labels of a pod and its namespace, as they are now. */
export function identityLabelsOf(cluster: string, pod: PodLabels, namespaceLabels: Readonly<Record<string, string>>): string {
  return podIdentityLabels({
    cluster,
    namespace: pod.metadata.namespace ?? 'default',
    labels: pod.metadata.labels ?? {},
    namespaceLabels,
    serviceAccount: pod.spec?.serviceAccountName ?? '',
  });
}

/** Reads a pod and says its identity labels. @throws CodedError POD_NOT_FOUND, or what the store throws */
export async function readIdentityLabels(resources: ResourceStore, cluster: string, namespace: string, name: string): Promise<string> {
  const [pod, space] = await Promise.all([resources.get(POD, name, namespace), resources.get(NAMESPACE, namespace)]);
  if (!pod) throw new CodedError(POD_NOT_FOUND, `there is no pod ${namespace}/${name}`, { object: `${namespace}/${name}` });
  return identityLabelsOf(cluster, pod, space?.metadata.labels ?? {});
}
