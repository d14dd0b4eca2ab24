import { MetricSet, measureOwnProcess, type Table } from '@isthmus/core';
import type { EndpointRow, LocalAddressRow, ServiceRow } from '@isthmus/model';
import type { Agent } from '../agent.ts';
import { measureBgp } from './bgp-metrics.ts';
import { datapathCounters } from './datapath-counters.ts';
import { measureEncryption } from './encryption-metrics.ts';
import { AGENT_METRICS } from './metric-list.ts';

type Set = MetricSet<typeof AGENT_METRICS>;
/** What the names of sinks' status tables begin with. */
const SINK_TABLES = 'sink/';

type NodeLabels = Readonly<Record<'source_cluster' | 'source_node_name', string>>;
type RemoteLabels = NodeLabels & Readonly<Record<'target_cluster', string>>;
type Remote = ReturnType<Agent['remotes']>[number];

/** The agent's metrics, read from its tables and maps when somebody asks. */
export function agentMetrics(agent: Agent): Set {
  const metrics = new MetricSet(AGENT_METRICS);
  const node = { source_cluster: agent.facts.cluster, source_node_name: agent.facts.node };
  metrics.read('isthmus_agent_ready', () => [[{}, agent.waitingFor() === undefined ? 1 : 0]]);
  metrics.read('isthmus_table_rows', () => agent.tables.store.tables().map((table) => [{ table: table.name }, table.size]));
  metrics.read('isthmus_certificate_not_after_timestamp_seconds', () =>
    agent.certificates.map(({ name, notAfter }) => [{ certificate: name }, Date.parse(notAfter) / 1000]),
  );
  measureEncryption(metrics, () => agent.encryption());
  measureSinks(metrics, agent);
  measureDatapath(metrics, agent);
  measurePods(metrics, agent);
  measureRemotes(metrics, agent, node);
  measureBgp(metrics, () => ({ bgp: agent.bgp, learnedRoutes: agent.tables.sources.learnedRoutes.table.size }));
  measureOwnProcess(metrics, 'cilium_');
  return metrics;
}

function measureSinks(metrics: Set, agent: Agent): void {
  metrics.read('isthmus_sink_failing_rows', () =>
    agent.tables.store
      .tables()
      .filter(({ name }) => name.startsWith(SINK_TABLES))
      .map(({ name, size }) => [{ sink: name.slice(SINK_TABLES.length) }, size]),
  );
  metrics.read('cilium_bpf_map_pressure', () =>
    Object.entries(filledMaps(agent)).map(([map_name, { size }]) => [
      { map_name },
      size / (agent.programs?.map(map_name).info.maxEntries ?? Number.NaN),
    ]),
  );
}

/** Tables with a row for each row of a map. */
function filledMaps({ tables }: Agent): Record<string, { readonly size: number }> {
  return {
    isth_endpoints: tables.localAddresses,
    isth_ipcache: tables.ipcache,
    isth_peers: tables.peers,
    isth_mesh_ranges: tables.meshRanges,
    isth_backends: tables.backends,
    isth_revnat: tables.revnats,
  };
}

function measureDatapath(metrics: Set, agent: Agent): void {
  const counters = () => datapathCounters(agent.programs?.map('isth_metrics').entries() ?? []);
  metrics.read('cilium_forward_count_total', () => counters().forwarded.map(({ direction, packets }) => [{ direction }, packets]));
  metrics.read('cilium_forward_bytes_total', () => counters().forwarded.map(({ direction, bytes }) => [{ direction }, bytes]));
  metrics.read('cilium_drop_count_total', () =>
    counters().dropped.map(({ reason, direction, packets }) => [{ reason, direction }, packets]),
  );
  metrics.read('cilium_drop_bytes_total', () => counters().dropped.map(({ reason, direction, bytes }) => [{ reason, direction }, bytes]));
  metrics.read('isthmus_datapath_events_lost_total', () => [[{}, counters().eventsLost]]);
}

function measurePods(metrics: Set, { tables }: Agent): void {
  const { endpoints, localNodes, remoteNodes } = tables.sources;
  const rows = (): EndpointRow[] => [...endpoints.table.rows()].map(([, row]) => row);
  metrics.read('cilium_endpoint', () => [[{}, endpoints.table.size]]);
  metrics.read('cilium_endpoint_state', () => podStates(rows(), readyEndpoints(tables.localAddresses)));
  metrics.read('cilium_ip_addresses', () =>
    (['ipv4', 'ipv6'] as const).map((family) => [{ family }, rows().filter((row) => row[family] !== '').length]),
  );
  metrics.read('cilium_nodes_all_num', () => [[{}, localNodes.table.size + remoteNodes.table.size]]);
}

function readyEndpoints(addresses: Table<LocalAddressRow>): ReadonlySet<number> {
  return new Set([...addresses.rows()].filter(([, row]) => row.ready).map(([, row]) => row.endpoint));
}

function podStates(rows: readonly EndpointRow[], ready: ReadonlySet<number>): [{ endpoint_state: string }, number][] {
  const counts = new Map([
    ['ready', 0],
    ['not-ready', 0],
    ['waiting-for-identity', 0],
  ]);
  for (const { id, identity } of rows) {
    const state = ready.has(id) ? 'ready' : identity === 0 ? 'waiting-for-identity' : 'not-ready';
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return [...counts].map(([endpoint_state, count]) => [{ endpoint_state }, count]);
}

function measureRemotes(metrics: Set, agent: Agent, node: NodeLabels): void {
  const each = (value: (remote: Remote) => number) => (): [RemoteLabels, number][] =>
    agent.remotes().map((remote) => [{ ...node, target_cluster: remote.cluster }, value(remote)]);
  metrics.read('cilium_clustermesh_remote_clusters', () => [[node, agent.remotes().length]]);
  metrics.read('cilium_clustermesh_global_services', () => [[node, globalServices(agent.tables.sources.services.table)]]);
  metrics.read(
    'cilium_clustermesh_remote_cluster_readiness_status',
    each(({ ready }) => (ready ? 1 : 0)),
  );
  metrics.read(
    'cilium_clustermesh_remote_cluster_failures',
    each(({ failures }) => failures),
  );
  metrics.read(
    'cilium_clustermesh_remote_cluster_last_failure_ts',
    each(({ lastFailure }) => lastFailure / 1000),
  );
  metrics.read(
    'cilium_clustermesh_remote_cluster_nodes',
    each(({ kinds }) => kinds.nodes.count),
  );
  metrics.read(
    'cilium_clustermesh_remote_cluster_services',
    each(({ kinds }) => kinds.services.count),
  );
  metrics.read(
    'cilium_clustermesh_remote_cluster_endpoints',
    each(({ kinds }) => kinds.ips.count),
  );
  metrics.read(
    'isthmus_remote_heartbeat_age_seconds',
    each(({ heartbeatAgeMs }) => heartbeatAgeMs / 1000),
  );
  metrics.read('isthmus_remote_dropped_records_total', () =>
    agent
      .remotes()
      .flatMap(({ cluster, dropped }) =>
        dropped.map(({ kind, reason, count }) => [{ ...node, target_cluster: cluster, kind, reason }, count] as const),
      ),
  );
}

function globalServices(services: Table<ServiceRow>): number {
  return [...services.rows()].filter(([, { global }]) => global).length;
}
