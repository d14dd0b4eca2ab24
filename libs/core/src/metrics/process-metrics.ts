import type { MetricDeclaration } from './metric-declaration.ts';

const PROCESS = {
  process_cpu_seconds_total: { type: 'counter', labels: [], unit: 'seconds', help: 'CPU time of the process, user and system' },
  process_resident_memory_bytes: { type: 'gauge', labels: [], unit: 'bytes', help: 'Resident memory of the process' },
  process_virtual_memory_bytes: { type: 'gauge', labels: [], unit: 'bytes', help: 'Address space of the process' },
  process_open_fds: { type: 'gauge', labels: [], unit: 'descriptors', help: 'Open file descriptors of the process' },
  process_max_fds: { type: 'gauge', labels: [], unit: 'descriptors', help: 'File descriptors that the process may open' },
  process_start_time_seconds: { type: 'gauge', labels: [], unit: 'seconds since 1970', help: 'When the process started' },
} as const satisfies Record<string, MetricDeclaration>;

/** What every process says of itself, under the names that Prometheus' own libraries use. */
export type ProcessMetric = keyof typeof PROCESS;

/** Declarations of {@link ProcessMetric}s, each with `prefix` before its name. */
export function processMetrics<P extends string>(prefix: P): { readonly [N in ProcessMetric as `${P}${N}`]: (typeof PROCESS)[N] } {
  const declarations = Object.entries(PROCESS).map(([name, declaration]) => [prefix + name, declaration]);
  return Object.fromEntries(declarations) as ReturnType<typeof processMetrics<P>>;
}

/** The loop that all of a process's code runs in. */
export const LOOP_METRICS = {
  isthmus_event_loop_active_seconds_total: {
    type: 'counter',
    labels: [],
    unit: 'seconds',
    help: 'Time that the event loop did work; its rate is the share of one core that JavaScript may use',
  },
  isthmus_heap_used_bytes: { type: 'gauge', labels: [], unit: 'bytes', help: 'JavaScript heap in use' },
} as const satisfies Record<string, MetricDeclaration>;
