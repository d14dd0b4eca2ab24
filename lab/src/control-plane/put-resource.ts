import { randomUUID } from 'node:crypto';
import { apiVersionOf, objectKey, POD, type Pod, type Resource, type ResourceKind } from '@isthmus/model';
import { runCommand } from '../machine/run-command.ts';
import { enterPlace } from '../process/enter-place.ts';
import { toolPath } from '../toolchain.ts';
import type { ClusterPlan, PodPlace } from '../topology/plan.ts';
import { clusterFiles, ETCD_PORT } from './cluster-files.ts';

/** Writes a resource into the cluster etcd, as whoever schedules a pod does before it calls the CNI plugin. */
export async function putResource<T extends Resource>(cluster: ClusterPlan, kind: ResourceKind<T>, object: T): Promise<void> {
  const { ca, clients } = clusterFiles(cluster).pki;
  const key = objectKey(kind as ResourceKind<never>, object.metadata.name, object.metadata.namespace);
  const client = [
    '--endpoints',
    `https://127.0.0.1:${ETCD_PORT}`,
    '--cacert',
    ca.cert,
    '--cert',
    clients.root.cert,
    '--key',
    clients.root.key,
  ];
  const argv = enterPlace(cluster.control, [toolPath('etcdctl'), 'put', key, ...client]);
  await runCommand(argv, { input: JSON.stringify(object), env: { ETCDCTL_API: '3' } });
}

/** The resource of one of the lab's pods: labelled `app=<name>`. */
export function podResource(pod: PodPlace): Pod {
  return {
    apiVersion: apiVersionOf(POD),
    kind: POD.kind,
    metadata: { name: pod.name, namespace: 'default', uid: randomUUID(), labels: { app: pod.name } },
    spec: { nodeName: pod.node },
  };
}
