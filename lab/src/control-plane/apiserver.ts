import { join } from 'node:path';
import type { Supervisor } from '../process/supervisor.ts';
import { appCommand } from '../toolchain.ts';
import type { ClusterPlan } from '../topology/plan.ts';
import { clusterFiles, writeConfigDir } from './cluster-files.ts';
import { APISERVER_HTTP_PORT, apiserverSettings } from './cluster-settings.ts';
import { isReady } from './http-probe.ts';

const READY_TIMEOUT_MS = 60_000;

/** Id of a cluster's apiserver among the lab's processes. */
export function apiserverId(cluster: ClusterPlan): string {
  return `${cluster.name}/apiserver`;
}

/** Starts a cluster's apiserver, which sets up the users of both etcds first. */
export function startApiserver(supervisor: Supervisor, cluster: ClusterPlan): void {
  const config = writeConfigDir(join(clusterFiles(cluster).config, 'apiserver'), apiserverSettings(cluster));
  const argv = appCommand('clustermesh-apiserver', ['--config-dir', config]);
  supervisor.start({ id: apiserverId(cluster), place: cluster.control, isOurs: true, argv });
}

/** Waits until the apiserver says that it is ready: users, export and join API. */
export async function waitForApiserver(supervisor: Supervisor, cluster: ClusterPlan): Promise<void> {
  await supervisor.waitReady(apiserverId(cluster), () => isReady(cluster.control, APISERVER_HTTP_PORT), READY_TIMEOUT_MS);
}
