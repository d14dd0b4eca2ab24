import { type IdentityLabel, labelText } from './label-text.ts';

/** Label that names the cluster of every pod identity. */
export const CLUSTER_LABEL = 'io.cilium.k8s.policy.cluster';
/** Label that names the namespace. */
export const NAMESPACE_LABEL = 'io.kubernetes.pod.namespace';
const SERVICE_ACCOUNT_LABEL = 'io.cilium.k8s.policy.serviceaccount';
const NAMESPACE_LABELS_PREFIX = 'io.cilium.k8s.namespace.labels.';

/**
 * Pod labels that make no identity: those that differ from pod to pod of one workload, and those that only Isthmus itself may set. A pod that
 * carried the latter could pass for another namespace or cluster.
 */
const EXCLUDED = [
  /^io\.cilium\.k8s\./,
  /^io\.kubernetes\./,
  /(^|\.)kubernetes\.io\//,
  /(^|\.)k8s\.io\//,
  /^pod-template-(generation|hash)$/,
  /^controller-revision-hash$/,
  /^annotation\./,
  /^etcd_node$/,
];
/** Exceptions: well-known workload labels under kubernetes.io that people select on. */
const INCLUDED = [/^app\.kubernetes\.io\//];

/** What a pod's identity is made of. */
export interface PodFacts {
  cluster: string;
  namespace: string;
  labels: Readonly<Record<string, string>>;
  namespaceLabels: Readonly<Record<string, string>>;
  serviceAccount: string;
}

/** Canonical identity labels of a pod (see `labelText`). */
export function podIdentityLabels(pod: PodFacts): string {
  const labels: IdentityLabel[] = [];
  const add = (key: string, value: string): void => void labels.push({ source: 'k8s', key, value });
  for (const [key, value] of Object.entries(pod.labels)) if (makesIdentity(key)) add(key, value);
  for (const [key, value] of Object.entries(pod.namespaceLabels)) add(`${NAMESPACE_LABELS_PREFIX}${key}`, value);
  if (pod.serviceAccount !== '') add(SERVICE_ACCOUNT_LABEL, pod.serviceAccount);
  add(NAMESPACE_LABEL, pod.namespace);
  add(CLUSTER_LABEL, pod.cluster);
  return labelText(labels);
}

function makesIdentity(key: string): boolean {
  return INCLUDED.some((rule) => rule.test(key)) || !EXCLUDED.some((rule) => rule.test(key));
}
