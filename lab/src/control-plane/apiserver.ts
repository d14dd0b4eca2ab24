import { join } from 'node:path';
import { tryCommand } from '../machine/run-command.ts';
import { enterPlace } from '../process/enter-place.ts';
import type { Supervisor } from '../process/supervisor.ts';
import { appCommand, nodeCommand } from '../toolchain.ts';
import type { ClusterPlan } from '../topology/plan.ts';
import { clusterFiles, writeConfigDir } from './cluster-files.ts';
import { APISERVER_HTTP_PORT, apiserverSettings } from './cluster-settings.ts';

const READY_TIMEOUT_MS = 60_000;
/** Ends with status 0 when the page answers 200. */
const PROBE = `fetch(process.argv[1]).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))`;

/** Id of a cluster's apiserver among the lab's processes. */
export function apiserverId(cluster: ClusterPlan): string {
  return `${cluster.name}/apiserver`;
}

/** Starts a cluster's apiserver, which sets up the users of both etcds first. */
export function startApiserver(supervisor: Supervisor, cluster: ClusterPlan): void {
  const config = writeConfigDir(join(clusterFiles(cluster).config, 'apiserver'), apiserverSettings(cluster));
  const argv = appCommand('clustermesh-apiserver', ['--config-dir', config]);
  supervisor.start({ id: apiserverId(cluster), place: cluster.control, argv });
}

/** Waits until the apiserver says that it is ready: users, export and join API. */
export async function waitForApiserver(supervisor: Supervisor, cluster: ClusterPlan): Promise<void> {
  const argv = enterPlace(cluster.control, nodeCommand(['-e', PROBE, `http://127.0.0.1:${APISERVER_HTTP_PORT}/readyz`]));
  await supervisor.waitReady(apiserverId(cluster), async () => (await tryCommand(argv)).status === 0, READY_TIMEOUT_MS);
}
