import { apiserverId, waitForApiserver } from '../control-plane/apiserver.ts';
import { waitForEtcd } from '../control-plane/etcd.ts';
import { operatorId, waitForOperator } from '../control-plane/operator.ts';
import type { Lab } from '../lab.ts';
import { agentId, waitForAgent } from '../node/agent.ts';
import { routerProcessIds, routersOf, waitForRouters } from '../rack/router-daemons.ts';
import { isEtcdId, labEtcd } from './lab-etcd.ts';

/** Starts a process of the lab just as it was started before; does nothing while it runs. */
export function startAgain(lab: Lab, id: string): void {
  const { place, argv } = lab.processes.get(id);
  lab.processes.start({ id, place: lab.place(place), argv });
}

/** Waits until a process of the lab does its work, as its own kind tells; for one of no known kind there is nothing to wait for. */
export async function waitForProcess(lab: Lab, id: string): Promise<void> {
  const { processes } = lab;
  if (isEtcdId(lab, id)) {
    const { cluster, files, etcd } = labEtcd(lab, id);
    await waitForEtcd(processes, cluster, files, etcd);
  }
  const { fabric } = lab.plan;
  if (fabric && routersOf(fabric).some((router) => routerProcessIds(router, fabric).includes(id))) await waitForRouters(processes, fabric);
  for (const cluster of lab.plan.clusters) {
    if (id === apiserverId(cluster)) await waitForApiserver(processes, cluster);
    if (id === operatorId(cluster)) await waitForOperator(processes, cluster);
    for (const node of cluster.nodes) if (id === agentId(node)) await waitForAgent(processes, node);
  }
}
