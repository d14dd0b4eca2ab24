/** What one metric is: everything that `docs/metrics.md` says of it, and that a scraper reads. */
export interface MetricDeclaration {
  /** A counter only grows while the process runs; a gauge is what is so now. */
  readonly type: 'counter' | 'gauge';
  /** Names of its labels, in the order in which they are written. */
  readonly labels: readonly string[];
  /** What one is: `packets`, `seconds`; `1 or 0` for a state. */
  readonly unit: string;
  /** One sentence, without the full stop that scrapers leave out. */
  readonly help: string;
  /** Of a metric with one of Cilium's names: in what it differs from that one. */
  readonly deviation?: string;
}

/** Metrics by name. */
export type MetricDeclarations = Readonly<Record<string, MetricDeclaration>>;

const lists = new Map<string, MetricDeclarations>();

/**
 * Declares all metrics of one process.
 * @param process name of the process, as `docs/metrics.md` calls it
 * @throws Error when the process has declared its metrics already, or a name does not go with its type
 */
export function defineMetrics<const T extends MetricDeclarations>(process: string, metrics: T): T {
  if (lists.has(process)) throw new Error(`the metrics of ${process} are declared twice`);
  const wrong = Object.entries(metrics).find(([name, { type }]) => name.endsWith('_total') !== (type === 'counter'));
  if (wrong) throw new Error(`${wrong[0]}: the names of counters, and of nothing else, end in _total`);
  lists.set(process, metrics);
  return metrics;
}

/** Every list declared so far, by process. */
export function metricLists(): ReadonlyMap<string, MetricDeclarations> {
  return lists;
}
