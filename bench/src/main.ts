import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { CodedError, isCoded, seededRandom } from '@isthmus/core';
import { BENCH_UNKNOWN } from './bench.errors.ts';
import { BENCHES, type Bench } from './benches.ts';
import { foreignCpuMeter } from './foreign-cpu.ts';
import { type Metric, runCase } from './harness.ts';
import { resultJson, resultTable } from './report.ts';
import { runFacts } from './run-facts.ts';

const RESULTS = new URL('../results/', import.meta.url).pathname;
const SEED = 1;
const EXIT = { met: 0, missed: 1, usage: 2, inconclusive: 3 } as const;

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

async function run(bench: Bench): Promise<readonly Metric[]> {
  console.log(`bench: ${bench.name}: ${bench.about}`);
  const facts = runFacts(bench.name);
  const open = await bench.open();
  const metrics: Metric[] = [];
  try {
    const context = { noise: foreignCpuMeter(open.ownProcesses), random: seededRandom(SEED) };
    for (const each of open.cases) metrics.push(await runCase(each, context));
  } finally {
    await open.close();
  }
  console.log(resultTable(metrics));
  write(bench.name, resultJson(facts, metrics));
  return metrics;
}

/** In one step, so that a run that is cut short leaves the last result whole. */
function write(name: string, json: string): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(`${RESULTS}${name}.json.tmp`, json);
  renameSync(`${RESULTS}${name}.json.tmp`, `${RESULTS}${name}.json`);
}

async function main(names: readonly string[]): Promise<number> {
  const judgements = new Set<Metric['judgement']>();
  for (const bench of chosen(names)) for (const { judgement } of await run(bench)) judgements.add(judgement);
  if (judgements.has('missed')) return EXIT.missed;
  return judgements.has('inconclusive') ? EXIT.inconclusive : EXIT.met;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!isCoded(error, BENCH_UNKNOWN)) throw error;
  console.error(`bench: ${error.code}: ${error.message}. ${error.action}`);
  process.exitCode = EXIT.usage;
}
