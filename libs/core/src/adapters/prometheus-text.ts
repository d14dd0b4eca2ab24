import type { MetricDeclarations } from '../metrics/metric-declaration.ts';
import type { MetricSet } from '../metrics/metric-set.ts';

/** An answer to a scraper. */
export interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}

/**
 * All metrics of a set as they are now, in Prometheus' text format; without what could not be read. The library is loaded by the first who
 * asks: most processes are never asked.
 */
export async function prometheusText(metrics: MetricSet<MetricDeclarations>): Promise<MetricsText> {
  const { Counter, Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  for (const { name, declaration, samples } of await metrics.measure()) {
    const { type, labels, help } = declaration;
    const known = samples.filter(([, value]) => Number.isFinite(value));
    // The library would show a metric without labels as 0.
    if (labels.length === 0 && known.length === 0) continue;
    const metric = new (type === 'counter' ? Counter : Gauge)({ name, help, labelNames: labels, registers: [registry] });
    for (const [values, value] of known) metric.inc(values, value);
  }
  return { contentType: registry.contentType, body: await registry.metrics() };
}
