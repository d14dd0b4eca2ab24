import { join } from 'node:path';
import type { Supervisor } from '../process/supervisor.ts';
import { appCommand } from '../toolchain.ts';
import type { ClusterPlan } from '../topology/plan.ts';
import { clusterFiles, writeConfigDir } from './cluster-files.ts';
import { OPERATOR_HTTP_PORT, operatorSettings } from './cluster-settings.ts';
import { isReady } from './http-probe.ts';

const READY_TIMEOUT_MS = 60_000;

/** Id of a cluster's operator among the lab's processes. */
export function operatorId(cluster: ClusterPlan): string {
  return `${cluster.name}/operator`;
}

/** Starts a cluster's operator. At first nobody waits for it alone: agents are ready only when it has given their nodes pod CIDRs. */
export function startOperator(supervisor: Supervisor, cluster: ClusterPlan): void {
  const config = writeConfigDir(join(clusterFiles(cluster).config, 'operator'), operatorSettings(cluster));
  supervisor.start({
    id: operatorId(cluster),
    place: cluster.control,
    isOurs: true,
    argv: appCommand('operator', ['--config-dir', config]),
  });
}

/** Waits until an operator that was started again works. */
export async function waitForOperator(supervisor: Supervisor, cluster: ClusterPlan): Promise<void> {
  await supervisor.waitReady(operatorId(cluster), () => isReady(cluster.control, OPERATOR_HTTP_PORT), READY_TIMEOUT_MS);
}
