import { Direction, decodeMetricKey, dropReasonName, sumOverCpus } from '@isthmus/datapath';
import { Gauge, Registry } from 'prom-client';
import type { Agent } from './agent.ts';

/** The agent's metrics, read from its tables and maps when somebody asks. Names as Cilium's where the meaning is the same. */
export function agentMetrics(agent: Agent): Registry {
  const registry = new Registry();
  const gauge = (name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        collect(this as Gauge);
      },
    });
  };
  gauge('cilium_drop_count_total', 'Packets dropped by the datapath', ['reason', 'direction'], (g) =>
    eachCounter(agent, 'drops', 'packets', g),
  );
  gauge('cilium_drop_bytes_total', 'Bytes dropped by the datapath', ['reason', 'direction'], (g) =>
    eachCounter(agent, 'drops', 'bytes', g),
  );
  gauge('cilium_forward_count_total', 'Packets forwarded by the datapath', ['direction'], (g) =>
    eachCounter(agent, 'forwards', 'packets', g),
  );
  gauge('cilium_forward_bytes_total', 'Bytes forwarded by the datapath', ['direction'], (g) => eachCounter(agent, 'forwards', 'bytes', g));
  gauge('isthmus_table_rows', 'Rows of each table', ['table'], (g) => {
    for (const table of agent.tables.store.tables()) g.set({ table: table.name }, table.size);
  });
  gauge('isthmus_agent_ready', '1 when the agent serves pods', [], (g) => g.set(agent.waitingFor() === undefined ? 1 : 0));
  gauge('cilium_endpoint', 'Endpoints of this node', [], (g) => g.set(agent.tables.sources.endpoints.table.size));
  gauge('isthmus_agent_resident_memory_bytes', 'Resident memory of the agent', [], (g) => g.set(process.memoryUsage.rss()));
  return registry;
}

function eachCounter(agent: Agent, kind: 'drops' | 'forwards', unit: 'packets' | 'bytes', gauge: Gauge): void {
  const map = agent.programs?.map('isth_metrics');
  for (const [key, value] of map?.entries() ?? []) {
    const { reason, direction } = decodeMetricKey(key);
    if ((reason === 0) !== (kind === 'forwards')) continue;
    const name = Object.entries(Direction).find(([, number]) => number === direction)?.[0] ?? 'unknown';
    gauge.set({ direction: name.toUpperCase(), ...(kind === 'drops' ? { reason: dropReasonName(reason) } : {}) }, sumOverCpus(value)[unit]);
  }
}
