import type { MetricsText } from '@isthmus/core';
import { describeMapRow, MAP_NAMES, pinnedMapName } from '@isthmus/datapath';
import type { Config } from '@isthmus/model';
import type { Agent } from './agent.ts';
import { agentRoutes } from './api/agent-routes.ts';
import { UnixServer } from './api/unix-server.ts';
import { CniHandler } from './cni/cni-handler.ts';
import type { DeleteQueue } from './cni/delete-queue.ts';

/** CNI on top of the agent's endpoints. */
export function cniHandler(agent: Agent, deletes: DeleteQueue): CniHandler {
  return new CniHandler({
    endpoints: agent.endpoints,
    network: agent.network,
    node: agent.podCidrs,
    deletes,
    attachments: () => [...agent.tables.sources.endpoints.table.rows()].map(([, row]) => row),
    waitingFor: () => agent.waitingFor(),
    unavailable: () => agent.unavailable(),
  });
}

/** The agent's unix socket: CNI and everything that the CLI shows. */
export function agentServer(agent: Agent, cni: CniHandler, metrics: () => Promise<MetricsText>, config: Config): UnixServer {
  const routes = agentRoutes({
    cni,
    store: agent.tables.store,
    status: () => agent.status(),
    config: () => config,
    metrics,
    bpfMaps: () => MAP_NAMES,
    bpfMap: (name) => bpfRows(agent, name),
    events: agent.events,
    bgp: () => agent.bgp,
    encryption: () => agent.encryption(),
  });
  return new UnixServer(config['socket-path'], routes);
}

function bpfRows(agent: Agent, name: string): Iterable<object> | undefined {
  if (!MAP_NAMES.includes(name) || !agent.programs) return undefined;
  return Array.from(agent.programs.map(pinnedMapName(name)).entries(), ([key, value]) => describeMapRow(name, key, value));
}
