import { mkdirSync } from 'node:fs';
import type { PairPaths } from '@isthmus/crypto';
import { tryCommand } from '../machine/run-command.ts';
import { enterPlace } from '../process/enter-place.ts';
import type { ProcessSpec, Supervisor } from '../process/supervisor.ts';
import { toolPath } from '../toolchain.ts';
import type { ClusterPlan } from '../topology/plan.ts';
import { type ClusterFiles, controlUrls, ETCD_PORT, MESH_ETCD_PORT } from './cluster-files.ts';

const READY_TIMEOUT_MS = 30_000;

/** One of a cluster's two etcds. */
export interface EtcdSpec {
  /** `etcd` or `mesh-etcd`. */
  readonly name: string;
  readonly port: number;
  readonly data: string;
  readonly server: PairPaths;
  /** List of certificates that it refuses. */
  readonly revoked?: string;
}

/** A cluster's two etcds. */
export function etcdsOf(files: ClusterFiles): EtcdSpec[] {
  return [
    { name: 'etcd', port: ETCD_PORT, data: files.etcdData, server: files.pki.clusterEtcd },
    { name: 'mesh-etcd', port: MESH_ETCD_PORT, data: files.meshEtcdData, server: files.pki.meshEtcd, revoked: files.pki.meshEtcdRevoked },
  ];
}

/** Starts an etcd that lets in only bearers of certificates of the cluster's CA. */
export function startEtcd(supervisor: Supervisor, cluster: ClusterPlan, files: ClusterFiles, etcd: EtcdSpec): void {
  mkdirSync(etcd.data, { recursive: true, mode: 0o700 });
  supervisor.start(etcdProcess(cluster, files, etcd));
}

/** Waits until an etcd answers a client. */
export async function waitForEtcd(supervisor: Supervisor, cluster: ClusterPlan, files: ClusterFiles, etcd: EtcdSpec): Promise<void> {
  const { ca, clients } = files.pki;
  const health = [
    'endpoint',
    'health',
    '--endpoints',
    `https://127.0.0.1:${etcd.port}`,
    '--cacert',
    ca.cert,
    '--cert',
    clients.root.cert,
    '--key',
    clients.root.key,
  ];
  const argv = enterPlace(cluster.control, [toolPath('etcdctl'), ...health]);
  await supervisor.waitReady(
    `${cluster.name}/${etcd.name}`,
    async () => (await tryCommand(argv, { env: { ETCDCTL_API: '3' } })).status === 0,
    READY_TIMEOUT_MS,
  );
}

function etcdProcess(cluster: ClusterPlan, files: ClusterFiles, etcd: EtcdSpec): ProcessSpec {
  const name = `${cluster.name}-${etcd.name}`;
  const peer = `http://127.0.0.1:${etcd.port + 1}`;
  const flags: Record<string, string> = {
    name,
    'data-dir': etcd.data,
    'listen-client-urls': [...controlUrls(cluster, etcd.port), `https://127.0.0.1:${etcd.port}`].join(','),
    'advertise-client-urls': controlUrls(cluster, etcd.port).join(','),
    // One member: nobody else speaks to the peer port, and it is on loopback.
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `${name}=${peer}`,
    'trusted-ca-file': files.pki.ca.cert,
    'cert-file': etcd.server.cert,
    'key-file': etcd.server.key,
    ...(etcd.revoked === undefined ? {} : { 'client-crl-file': etcd.revoked }),
    // A lone member has nobody to wait for: short timers bring it up in a tenth of a second.
    'heartbeat-interval': '10',
    'election-timeout': '100',
    'quota-backend-bytes': String(256 * 1024 * 1024),
    'auto-compaction-mode': 'revision',
    'auto-compaction-retention': '1000',
    logger: 'zap',
    'log-level': 'warn',
  };
  const argv = [toolPath('etcd'), '--client-cert-auth', ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value])];
  return { id: `${cluster.name}/${etcd.name}`, place: cluster.control, argv };
}
