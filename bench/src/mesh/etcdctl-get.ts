import { spawn } from 'node:child_process';
import { type ClusterPlan, clusterFiles, controlUrls, MESH_ETCD_PORT, toolPath } from '@isthmus/lab';
import { CACHE_PREFIX } from '@isthmus/mesh';

/** Seconds that `etcdctl get --prefix` takes to print the cache of a cluster's mesh etcd to nowhere. Call it inside the cluster's network. */
export function etcdctlGet(cluster: ClusterPlan): Promise<number> {
  const { ca, clients } = clusterFiles(cluster).pki;
  const endpoint = controlUrls(cluster, MESH_ETCD_PORT)[0] as string;
  const files = ['--cacert', ca.cert, '--cert', clients.root.cert, '--key', clients.root.key];
  const argv = ['--endpoints', endpoint, ...files, 'get', '--prefix', `${CACHE_PREFIX}/`];
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(toolPath('etcdctl'), argv, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ETCDCTL_API: '3' } });
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve((performance.now() - started) / 1000);
      else reject(new Error(`etcdctl get ended with status ${status}`));
    });
  });
}
