import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { table } from './table.ts';

/** What a result file says of one metric: see `bench/src/report.ts`. */
interface ResultMetric {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly peer: number | null;
  readonly ratio: number | null;
  readonly interval: readonly [number, number] | null;
  readonly goal: number | null;
  readonly met: boolean | null;
}

const RESULTS = 'bench/results';
const HEAD = ['benchmark', 'metric', 'ours', 'peer', 'ratio', '95 %', 'goal', ''];

/** The table of every benchmark's last result, from the files that `make bench` wrote. */
export function benchmarkTable(root: string): string {
  const files = readdirSync(join(root, RESULTS)).filter((name) => name.endsWith('.json'));
  return table(
    HEAD,
    files.sort().flatMap((file) => resultRows(join(root, RESULTS, file))),
  );
}

function resultRows(file: string): string[][] {
  const { name, metrics } = JSON.parse(readFileSync(file, 'utf8')) as { name: string; metrics: readonly ResultMetric[] };
  return metrics.map((metric) => [name, metric.name, ...cells(metric)]);
}

function cells({ unit, ours, peer, ratio, interval, goal, met }: ResultMetric): string[] {
  const range = interval ? `${figure(interval[0])} to ${figure(interval[1])}` : '';
  return [
    `${figure(ours)} ${unit}`,
    peer === null ? '' : `${figure(peer)} ${unit}`,
    figure(ratio),
    range,
    figure(goal),
    verdict(goal, met),
  ];
}

function verdict(goal: number | null, met: boolean | null): string {
  if (goal === null) return '';
  if (met === null) return 'inconclusive';
  return met ? 'met' : '**missed**';
}

/** Three significant digits, never in powers of ten. */
function figure(value: number | null): string {
  if (value === null) return '';
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
