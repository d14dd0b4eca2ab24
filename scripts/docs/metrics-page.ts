import { type MetricDeclarations, metricLists } from '@isthmus/core';
import { dropReasons } from '@isthmus/datapath';
import { loadDeclaring } from './declaring-modules.ts';
import { table } from './table.ts';

/** Where each process is asked. */
const SERVED: Readonly<Record<string, string>> = {
  agent:
    'One per node. Always on its socket: `curl --unix-socket /run/isthmus/isthmus.sock http://agent/v1/metrics`; over HTTP where ' +
    '`prometheus-serve-addr` says.',
  'clustermesh-apiserver':
    "One per cluster. It does the work of Cilium's apiserver and KVStoreMesh containers, and has the names of both: scrape it once.",
  operator: 'One or more per cluster; the one that leads has the tables.',
};

/** The page of every metric of every process. */
export async function metricsPage(root: string): Promise<string> {
  await loadDeclaring(root, /= defineMetrics\(/);
  const lists = [...metricLists()].sort(([a], [b]) => (a < b ? -1 : 1));
  return `# Metrics

What each process tells Prometheus, at \`/metrics\` of \`prometheus-serve-addr\` (plain HTTP; empty: not served), with \`/healthz\` and \`/readyz\` beside it.
A name that begins with \`cilium_\` is Cilium's, and so are the names and values of its labels: dashboards and alerts for Cilium read it as it
is. Everything that Cilium has no metric for begins with \`isthmus_\`.

Written by \`scripts/generate-docs.ts\` from the declarations in the sources.

${lists.map(section).join('\n')}
## Deviations from Cilium

Of metrics that have one of Cilium's names:

${table(['Metric', 'Process', 'What differs'], lists.flatMap(deviations))}
Labels: Cilium's newer versions leave \`source_cluster\` and \`source_node_name\` out of the metrics of remote clusters, older ones have no \`identity_type\`; here all of
them are there. Cilium's agent has further metrics, of things that this agent does not have, or counts otherwise; they are absent.

## Drop reasons

The label \`reason\` of \`cilium_drop_count_total\` and \`cilium_drop_bytes_total\` has Cilium's words. \`isthmus monitor\` and \`isthmus bpf metrics list\` say it shorter:

${table(
  ['Monitor', 'Metric'],
  dropReasons().map(({ name, text }) => [`\`${name}\``, text]),
)}`;
}

function section([process, metrics]: readonly [string, MetricDeclarations]): string {
  const rows = Object.entries(metrics).map(([name, { type, labels, unit, help }]) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    unit,
    help,
  ]);
  return `## ${process}\n\n${SERVED[process] ?? ''}\n\n${table(['Metric', 'Type', 'Labels', 'Unit', 'Meaning'], rows)}`;
}

function deviations([process, metrics]: readonly [string, MetricDeclarations]): string[][] {
  return Object.entries(metrics).flatMap(([name, { deviation }]) => (deviation === undefined ? [] : [[`\`${name}\``, process, deviation]]));
}
