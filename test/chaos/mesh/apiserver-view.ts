import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ClusterPlan, Lab } from '@isthmus/lab';

const WITH_NODE = fileURLToPath(new URL('../../../scripts/with-node', import.meta.url));
const METRICS_URL = 'http://127.0.0.1:9962/metrics';
const FETCH = 'fetch(process.argv[1]).then(async (answer) => process.stdout.write(await answer.text()))';
const SAMPLE = /^(\w+)\{(.*)\} (\S+)$/;

/** Values of one metric of a cluster's apiserver by `<kind> <reason>`, of the samples with these labels. */
export async function apiserverMetrics(
  lab: Lab,
  cluster: ClusterPlan,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<Record<string, number>> {
  const { stdout } = await lab.exec(cluster.control, [WITH_NODE, '-e', FETCH, METRICS_URL]);
  const found: Record<string, number> = {};
  for (const line of stdout.split('\n')) {
    const [, metric, text = '', value] = SAMPLE.exec(line) ?? [];
    if (metric !== name) continue;
    const has = Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, of]) => [label, of]));
    if (Object.entries(labels).every(([label, of]) => has[label] === of)) found[`${has['kind']} ${has['reason']}`] = Number(value);
  }
  return found;
}

/** Resident memory of a cluster's apiserver. */
export async function residentBytes(lab: Lab, cluster: ClusterPlan): Promise<number> {
  const status = readFileSync(`/proc/${lab.processes.get(`${cluster.name}/apiserver`).pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
