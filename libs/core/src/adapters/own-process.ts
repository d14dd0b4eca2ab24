import { readdirSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { MetricDeclarations } from '../metrics/metric-declaration.ts';
import type { MetricSet } from '../metrics/metric-set.ts';
import type { LOOP_METRICS, ProcessMetric } from '../metrics/process-metrics.ts';

/** Linux only; what cannot be read is NaN. */
const READ: Readonly<Record<ProcessMetric | keyof typeof LOOP_METRICS, () => number>> = {
  process_cpu_seconds_total: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
  process_resident_memory_bytes: () => process.memoryUsage.rss(),
  process_virtual_memory_bytes: () => Number(proc('status', /^VmSize:\s+(\d+) kB$/m)) * 1024,
  process_open_fds: () => openFds(),
  process_max_fds: () => Number(proc('limits', /^Max open files\s+(\d+)/m)),
  process_start_time_seconds: () => Math.round(performance.timeOrigin / 1000),
  isthmus_event_loop_active_seconds_total: () => performance.eventLoopUtilization().active / 1000,
  isthmus_heap_used_bytes: () => process.memoryUsage().heapUsed,
};

/**
 * Has a set read this very process's own metrics whenever it is asked.
 * @param metrics declares `processMetrics(prefix)` and `LOOP_METRICS`
 */
export function measureOwnProcess(metrics: MetricSet<MetricDeclarations>, prefix: string): void {
  for (const [name, read] of Object.entries(READ)) metrics.read(name.startsWith('process_') ? prefix + name : name, () => [[{}, read()]]);
}

function proc(file: string, pattern: RegExp): string | undefined {
  try {
    return pattern.exec(readFileSync(`/proc/self/${file}`, 'utf8'))?.[1];
  } catch {
    return undefined; // No procfs: the caller makes it NaN.
  }
}

function openFds(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return Number.NaN;
  }
}
