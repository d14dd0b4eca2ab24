import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CodedError, seededRandom } from '@isthmus/core';
import { BENCH_UNKNOWN } from './bench.errors.ts';
import { BENCHES, type Bench, type OpenBench } from './benches.ts';
import { foreignCpuMeter, untilQuiet } from './foreign-cpu.ts';
import { type Metric, type NoiseMeter, runCase } from './harness.ts';
import { resultJson, resultTable } from './report.ts';
import { runFacts } from './run-facts.ts';
import { runSeries } from './series.ts';

const RESULTS = new URL('../results/', import.meta.url).pathname;
const SEED = 1;
const QUIET: NoiseMeter = () => () => 0;
const EXIT = { met: 0, missed: 1, usage: 2, inconclusive: 3, broken: 4, interrupted: 130 } as const;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Benchmarks by name; `all` and no name mean every one. @throws CodedError BENCH_UNKNOWN */
function chosen(names: readonly string[]): readonly Bench[] {
  if (names.length === 0 || names.includes('all')) return BENCHES;
  return names.map((name) => {
    const bench = BENCHES.find((each) => each.name === name);
    if (bench) return bench;
    throw new CodedError(BENCH_UNKNOWN, `no benchmark ${name}; there are: ${BENCHES.map((each) => each.name).join(', ')}`, {
      object: name,
    });
  });
}

/** @param rounds of each case instead of its own; such a run is for trying things out: no round is void, and no result is written */
async function run(bench: Bench, rounds: number | undefined): Promise<readonly Metric[]> {
  console.log(`bench: ${bench.name}: ${bench.about}`);
  const facts = runFacts(bench.name);
  const opening = bench.open((line) => console.log(`bench: ${line}`));
  const ignoreSignals = removeOnSignals(bench, opening);
  try {
    const metrics = await measure(await opening, rounds);
    console.log(resultTable(metrics));
    if (rounds === undefined) write(bench.name, resultJson(facts, metrics));
    return metrics;
  } finally {
    ignoreSignals();
    await bench.remove();
  }
}

async function measure({ cases, ownProcesses }: OpenBench, rounds: number | undefined): Promise<readonly Metric[]> {
  const noise = foreignCpuMeter(ownProcesses);
  const random = seededRandom(SEED);
  // Who tries something out wants to see figures, also on a machine that is busy.
  const context = rounds === undefined ? { noise, settle: () => untilQuiet(noise), random } : { noise: QUIET, random };
  const metrics: Metric[] = [];
  for await (const each of cases) {
    const wanted = rounds === undefined ? each : { ...each, rounds };
    const found = 'round' in wanted ? await runSeries(wanted, context) : [await runCase(wanted, context)];
    for (const { name, judgement } of found) console.log(`bench: ${name}: ${judgement ?? 'measured'}`);
    metrics.push(...found);
  }
  return metrics;
}

/** Whoever interrupts a benchmark keeps nothing of it. Answers how to stop listening. */
function removeOnSignals(bench: Bench, opening: Promise<unknown>): () => void {
  const onSignal = (): void => {
    console.error(`bench: interrupted, removing ${bench.name}`);
    void opening
      .catch(() => undefined) // What failed half way is removed all the same.
      .then(() => bench.remove())
      .finally(() => process.exit(EXIT.interrupted));
  };
  for (const signal of SIGNALS) process.once(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}

/** In one step, so that a run that is cut short leaves the last result whole. */
function write(name: string, json: string): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(`${RESULTS}${name}.json.tmp`, json);
  renameSync(`${RESULTS}${name}.json.tmp`, `${RESULTS}${name}.json`);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { rounds: { type: 'string' } } });
  const rounds = values.rounds ? Number(values.rounds) : undefined;
  const judgements = new Set<Metric['judgement']>();
  const broken: string[] = [];
  for (const bench of chosen(positionals)) {
    try {
      for (const { judgement } of await run(bench, rounds)) judgements.add(judgement);
    } catch (error) {
      // The others can still be measured.
      console.error(`bench: ${bench.name} broke off: ${told(error)}`);
      broken.push(bench.name);
    }
  }
  if (broken.length > 0) {
    console.error(`bench: without a result: ${broken.join(', ')}`);
    return EXIT.broken;
  }
  if (judgements.has('missed')) return EXIT.missed;
  return judgements.has('inconclusive') ? EXIT.inconclusive : EXIT.met;
}

function told(error: unknown): string {
  if (error instanceof CodedError) return `${error.message}\n${error.action} [${error.code}]`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof CodedError)) throw error;
  console.error(`bench: ${told(error)}`);
  process.exitCode = EXIT.usage;
}
