import { Direction, decodeMetricKey, dropReasonName, sumOverCpus } from '@isthmus/datapath';
import { Counter, Gauge, Registry } from 'prom-client';
import type { Agent } from './agent.ts';

type Set = (labels: Record<string, string>, value: number) => void;
type Collect = (set: Set) => void;

/** The agent's metrics, read from its tables and maps when somebody asks. Names as Cilium's where the meaning is the same. */
export function agentMetrics(agent: Agent): Registry {
  const registry = new Registry();
  const register = (name: string, help: string, labelNames: string[], collect: Collect): void => {
    const Kind = name.endsWith('_total') ? Counter : Gauge;
    new Kind({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        // Counted in the kernel: what stands here is thrown away and read anew.
        this.reset();
        collect((labels, value) => this.inc(labels, value));
      },
    });
  };
  register('cilium_drop_count_total', 'Packets dropped by the datapath', ['reason', 'direction'], (set) =>
    eachCounter(agent, 'drops', 'packets', set),
  );
  register('cilium_drop_bytes_total', 'Bytes dropped by the datapath', ['reason', 'direction'], (set) =>
    eachCounter(agent, 'drops', 'bytes', set),
  );
  register('cilium_forward_count_total', 'Packets forwarded by the datapath', ['direction'], (set) =>
    eachCounter(agent, 'forwards', 'packets', set),
  );
  register('cilium_forward_bytes_total', 'Bytes forwarded by the datapath', ['direction'], (set) =>
    eachCounter(agent, 'forwards', 'bytes', set),
  );
  register('isthmus_table_rows', 'Rows of each table', ['table'], (set) => {
    for (const table of agent.tables.store.tables()) set({ table: table.name }, table.size);
  });
  register('isthmus_agent_ready', '1 when the agent serves pods', [], (set) => set({}, agent.waitingFor() === undefined ? 1 : 0));
  register('cilium_endpoint', 'Endpoints of this node', [], (set) => set({}, agent.tables.sources.endpoints.table.size));
  register('isthmus_certificate_not_after_timestamp_seconds', 'When a certificate ends, seconds since 1970', ['certificate'], (set) => {
    for (const { name, notAfter } of agent.certificates) set({ certificate: name }, Date.parse(notAfter) / 1000);
  });
  register('isthmus_agent_resident_memory_bytes', 'Resident memory of the agent', [], (set) => set({}, process.memoryUsage.rss()));
  return registry;
}

function eachCounter(agent: Agent, kind: 'drops' | 'forwards', unit: 'packets' | 'bytes', set: Set): void {
  const map = agent.programs?.map('isth_metrics');
  for (const [key, value] of map?.entries() ?? []) {
    const { reason, direction } = decodeMetricKey(key);
    if ((reason === 0) !== (kind === 'forwards')) continue;
    const name = Object.entries(Direction).find(([, number]) => number === direction)?.[0] ?? 'unknown';
    set({ direction: name.toUpperCase(), ...(kind === 'drops' ? { reason: dropReasonName(reason) } : {}) }, sumOverCpus(value)[unit]);
  }
}
