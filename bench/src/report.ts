import type { Metric } from './harness.ts';
import type { Judgement } from './judgement.ts';

/** Where and on what a benchmark ran. */
export interface RunFacts {
  readonly name: string;
  /** Abbreviated commit of the tree, with `+` when it was changed since. */
  readonly commit: string;
  readonly kernel: string;
  /** One-minute load average before the run. */
  readonly load: number;
}

const HEAD = ['metric', 'unit', 'ours', 'peer', 'ratio', '95 %', 'goal', 'judgement', 'rounds'];

/** The contents of `bench/results/<name>.json`. `met` is null where nothing can be said, or nothing was asked. */
export function resultJson(facts: RunFacts, metrics: readonly Metric[]): string {
  const rows = metrics.map(({ name, unit, ours, peer, ratio, interval, goal, judgement }) => ({
    name,
    unit,
    ours,
    peer,
    ratio,
    interval,
    goal: goal?.value ?? null,
    met: metOf(judgement),
  }));
  const { name, commit, kernel, load } = facts;
  return `${JSON.stringify({ name, commit, kernel, load, metrics: rows }, undefined, 2)}\n`;
}

function metOf(judgement: Judgement | null): boolean | null {
  if (judgement === null || judgement === 'inconclusive') return null;
  return judgement === 'met';
}

/** The same for people: one line per metric, columns aligned. */
export function resultTable(metrics: readonly Metric[]): string {
  const lines = [HEAD, ...metrics.map(cells)];
  const widths = HEAD.map((_title, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cells(metric: Metric): string[] {
  const { name, unit, ours, peer, ratio, interval, goal, judgement, rounds, voided } = metric;
  const range = interval ? `${figure(interval[0])} to ${figure(interval[1])}` : '-';
  const wanted = goal ? `${goal.must === 'be at least' ? '>=' : '<='} ${figure(goal.value)}` : '-';
  const counted = voided === 0 ? `${rounds}` : `${rounds} (${voided} void)`;
  return [name, unit, figure(ours), figure(peer), figure(ratio), range, wanted, judgement ?? '-', counted];
}

/** Four significant digits, never in powers of ten. */
function figure(value: number | null): string {
  if (value === null) return '-';
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}
