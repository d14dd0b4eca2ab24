import { mkdirSync } from 'node:fs';
import type { PairPaths } from '@isthmus/crypto';
import { runCommand, tryCommand } from '../machine/run-command.ts';
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

/** Id of an etcd among the lab's processes. */
export function etcdId(cluster: ClusterPlan, etcd: Pick<EtcdSpec, 'name'>): string {
  return `${cluster.name}/${etcd.name}`;
}

/** Starts an etcd that lets in only bearers of certificates of the cluster's CA. */
export function startEtcd(supervisor: Supervisor, cluster: ClusterPlan, files: ClusterFiles, etcd: EtcdSpec): void {
  mkdirSync(etcd.data, { recursive: true, mode: 0o700 });
  supervisor.start(etcdProcess(cluster, files, etcd));
}

/** Waits until an etcd answers a client. */
export async function waitForEtcd(supervisor: Supervisor, cluster: ClusterPlan, files: ClusterFiles, etcd: EtcdSpec): Promise<void> {
  const argv = enterPlace(cluster.control, [toolPath('etcdctl'), 'endpoint', 'health']);
  const env = etcdctlEnvironment(files, etcd);
  await supervisor.waitReady(etcdId(cluster, etcd), async () => (await tryCommand(argv, { env })).status === 0, READY_TIMEOUT_MS);
}

/**
 * Runs etcdctl as root of one etcd, and answers its output.
 * @throws CodedError LAB_COMMAND with etcdctl's own message
 */
export function etcdctl(cluster: ClusterPlan, files: ClusterFiles, etcd: EtcdSpec, args: readonly string[]): Promise<string> {
  return runCommand(enterPlace(cluster.control, [toolPath('etcdctl'), ...args]), { env: etcdctlEnvironment(files, etcd) });
}

/** What tells etcdctl which etcd it speaks to, and as whom: root. */
export function etcdctlEnvironment(files: ClusterFiles, etcd: EtcdSpec): Record<string, string> {
  const { ca, clients } = files.pki;
  return {
    ETCDCTL_API: '3',
    ETCDCTL_ENDPOINTS: `https://127.0.0.1:${etcd.port}`,
    ETCDCTL_CACERT: ca.cert,
    ETCDCTL_CERT: clients.root.cert,
    ETCDCTL_KEY: clients.root.key,
  };
}

/** Makes the data folder, which must not be there, of an etcd that is not running, as a snapshot has it. */
export async function restoreEtcdData(cluster: ClusterPlan, etcd: EtcdSpec, snapshot: string): Promise<void> {
  const flags = Object.entries({ 'data-dir': etcd.data, ...membership(cluster, etcd) }).flatMap(([flag, value]) => [`--${flag}`, value]);
  await runCommand(enterPlace(cluster.control, [toolPath('etcdctl'), 'snapshot', 'restore', snapshot, ...flags]), {
    env: { ETCDCTL_API: '3' },
  });
}

/** One member: nobody else speaks to the peer port, and it is on loopback. */
function membership(cluster: ClusterPlan, etcd: EtcdSpec): Record<string, string> {
  const name = `${cluster.name}-${etcd.name}`;
  const peer = `http://127.0.0.1:${etcd.port + 1}`;
  return { name, 'initial-advertise-peer-urls': peer, 'initial-cluster': `${name}=${peer}` };
}

function etcdProcess(cluster: ClusterPlan, files: ClusterFiles, etcd: EtcdSpec): ProcessSpec {
  const members = membership(cluster, etcd);
  const flags: Record<string, string> = {
    ...members,
    'data-dir': etcd.data,
    'listen-client-urls': [...controlUrls(cluster, etcd.port), `https://127.0.0.1:${etcd.port}`].join(','),
    'advertise-client-urls': controlUrls(cluster, etcd.port).join(','),
    'listen-peer-urls': members['initial-advertise-peer-urls'] ?? '',
    'trusted-ca-file': files.pki.ca.cert,
    'cert-file': etcd.server.cert,
    'key-file': etcd.server.key,
    ...(etcd.revoked === undefined ? {} : { 'client-crl-file': etcd.revoked }),
    // A lone member has nobody to wait for: short timers bring it up in a tenth of a second.
    'heartbeat-interval': '10',
    'election-timeout': '100',
    'quota-backend-bytes': String(cluster.topology.etcdQuotaMiB * 1024 * 1024),
    'auto-compaction-mode': 'revision',
    'auto-compaction-retention': '1000',
    logger: 'zap',
    'log-level': 'warn',
  };
  const argv = [toolPath('etcd'), '--client-cert-auth', ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value])];
  return { id: etcdId(cluster, etcd), place: cluster.control, argv };
}
