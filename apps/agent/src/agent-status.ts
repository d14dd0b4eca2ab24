import type { Sink, SinkGroup, SinkStatus, Store } from '@isthmus/core';
import type { RemoteStatus } from '@isthmus/mesh';
import type { PeerMode, RoutingModeName } from '@isthmus/model';
import type { BgpSummary } from './bgp/bgp-summary.ts';

/** Rows that are listed of each sink. */
const LISTED_FAILURES = 20;

/** How packets get to other nodes. */
export interface TunnelStatus {
  readonly protocol: string;
  readonly port: number;
  /** The kernel's device; empty where the programs do its work. */
  readonly device: string;
  /** There, how XDP runs on each physical device. */
  readonly xdp: Readonly<Record<string, string>>;
}

/** What `isthmus status` shows. */
export interface AgentStatusInputs {
  readonly cluster: string;
  readonly clusterId: number;
  readonly node: string;
  readonly startedMs: number;
  readonly nowMs: number;
  readonly waitingFor: string | undefined;
  readonly podCidrs: readonly string[];
  /** Undefined until the datapath is up. */
  readonly tunnel: TunnelStatus | undefined;
  /** How other nodes may be reached, and how many are in each way. */
  readonly routing: { readonly mode: RoutingModeName; readonly nodes: Readonly<Record<PeerMode, number>> };
  /** Undefined until BGP runs. */
  readonly bgp: BgpSummary | undefined;
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
    firstRows(sink).map(([key, row]) => ({ sink: sink.name, key, wanted: row.wanted, error: row.error, attempts: row.attempts })),
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
    ...(inputs.tunnel === undefined ? {} : { tunnel: inputs.tunnel }),
    routing: inputs.routing,
    ...(inputs.bgp === undefined ? {} : { bgp: inputs.bgp }),
    connections: inputs.connections,
    certificates: inputs.certificates,
    tables: Object.fromEntries(store.tables().flatMap((table) => (table.name.startsWith('sink/') ? [] : [[table.name, table.size]]))),
    sinks: {
      count: sinks.length,
      behind: sinks.filter((sink) => sink.doneRevision < store.revision).map((sink) => sink.name),
      /** All of them; of each sink the first ones are listed. */
      failingRows: sinks.reduce((sum, sink) => sum + sink.status.size, 0),
      failing,
    },
    remoteClusters: inputs.remotes.map(remoteSummary),
  };
}

/** A map that is full may fail a hundred thousand rows: the first ones tell why. */
function firstRows(sink: Sink<unknown>): (readonly [string, SinkStatus])[] {
  return [...take(sink.status.rows(), LISTED_FAILURES)];
}

function* take<T>(items: Iterable<T>, count: number): Generator<T> {
  let left = count;
  for (const item of items) {
    if (left-- <= 0) return;
    yield item;
  }
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
