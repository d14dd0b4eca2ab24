import type { AgentStatus } from './agent-answers.ts';

/** Names of clusters by their number, as an agent knows them; the number itself for one that it does not know. */
export function clusterNames(status: AgentStatus): (id: number) => string {
  const names = new Map(status.remoteClusters.map(({ id, name }) => [id, name]));
  names.set(status.clusterId, status.cluster);
  return (id) => names.get(id) ?? `cluster-${id}`;
}
