import type { Lab } from '../lab.ts';
import { nodeCommand } from '../toolchain.ts';
import type { ClusterPlan } from '../topology/plan.ts';
import { clusterFiles, type ETCD_PORT, type MESH_ETCD_PORT } from './cluster-files.ts';

/** Which etcd of a cluster, and as whom: `root` unless given. */
export interface EtcdAccess {
  readonly cluster: ClusterPlan;
  readonly port: typeof ETCD_PORT | typeof MESH_ETCD_PORT;
  readonly user?: 'root' | 'apiserver';
}

/** Runs `etcdctl` in a cluster's control plane. Answers what it printed, errors too. */
export async function etcdctl(lab: Lab, { cluster, port, user = 'root' }: EtcdAccess, ...args: readonly string[]): Promise<string> {
  const { ca, clients } = clusterFiles(cluster).pki;
  const tls = ['--cacert', ca.cert, '--cert', clients[user].cert, '--key', clients[user].key];
  // By way of Node, which has the toolchain's programs on its path.
  const run = `require('node:child_process').spawnSync('etcdctl', process.argv.slice(1), { stdio: 'inherit' })`;
  const argv = nodeCommand(['-e', run, '--', ...args, '--endpoints', `https://127.0.0.1:${port}`, ...tls]);
  const { stdout, stderr } = await lab.exec(cluster.control, argv, { env: { ETCDCTL_API: '3' } });
  return stdout + stderr;
}
