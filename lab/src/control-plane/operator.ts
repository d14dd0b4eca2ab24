import { join } from 'node:path';
import type { Supervisor } from '../process/supervisor.ts';
import { appCommand } from '../toolchain.ts';
import type { ClusterPlan } from '../topology/plan.ts';
import { clusterFiles, writeConfigDir } from './cluster-files.ts';
import { operatorSettings } from './cluster-settings.ts';

/** Starts a cluster's operator. Nobody waits for it alone: agents are ready only when it has given their nodes pod CIDRs. */
export function startOperator(supervisor: Supervisor, cluster: ClusterPlan): void {
  const config = writeConfigDir(join(clusterFiles(cluster).config, 'operator'), operatorSettings(cluster));
  supervisor.start({ id: `${cluster.name}/operator`, place: cluster.control, argv: appCommand('operator', ['--config-dir', config]) });
}
