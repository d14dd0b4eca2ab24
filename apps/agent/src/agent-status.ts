import type { SinkGroup, Store } from '@isthmus/core';
import type { RemoteStatus } from '@isthmus/mesh';

/** What `isthmus status` shows. */
export interface AgentStatusInputs {
  readonly cluster: string;
  readonly clusterId: number;
  readonly node: string;
  readonly startedMs: number;
  readonly nowMs: number;
  readonly waitingFor: string | undefined;
  readonly podCidrs: readonly string[];
  readonly store: Store;
  readonly sinks: SinkGroup | undefined;
  readonly publishing: SinkGroup | undefined;
  readonly remotes: readonly RemoteStatus[];
  readonly connections: Readonly<Record<string, { connected: boolean; error?: string }>>;
  readonly certificates: readonly object[];
}

/** The agent's state, for people and programs. */
export function agentStatus(inputs: AgentStatusInputs): object {
  const { store } = inputs;
  const sinks = [...(inputs.sinks?.all() ?? []), ...(inputs.publishing?.all() ?? [])];
  const failing = sinks.flatMap((sink) =>
    [...sink.status.rows()].map(([key, row]) => ({ sink: sink.name, key, wanted: row.wanted, error: row.error, attempts: row.attempts })),
  );
  return {
    cluster: inputs.cluster,
    clusterId: inputs.clusterId,
    node: inputs.node,
    ready: inputs.waitingFor === undefined,
    ...(inputs.waitingFor === undefined ? {} : { waitingFor: inputs.waitingFor }),
    uptimeSeconds: Math.round((inputs.nowMs - inputs.startedMs) / 1000),
    revision: store.revision,
    podCidrs: inputs.podCidrs,
    connections: inputs.connections,
    certificates: inputs.certificates,
    tables: Object.fromEntries(store.tables().flatMap((table) => (table.name.startsWith('sink/') ? [] : [[table.name, table.size]]))),
    sinks: {
      count: sinks.length,
      behind: sinks.filter((sink) => sink.doneRevision < store.revision).map((sink) => sink.name),
      failing,
    },
    remoteClusters: inputs.remotes.map(remoteSummary),
  };
}

function remoteSummary(remote: RemoteStatus): object {
  return {
    name: remote.cluster,
    id: remote.config?.id ?? 0,
    state: remote.state,
    ready: remote.ready,
    heartbeatAgeSeconds: Math.round(remote.heartbeatAgeMs / 1000),
    ...(remote.problem === undefined ? {} : { problem: remote.problem.toJSON() }),
    kinds: remote.kinds,
    dropped: remote.dropped,
  };
}
