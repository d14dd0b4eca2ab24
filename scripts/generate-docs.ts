// Writes docs/errors.md, docs/configuration.md and docs/metrics.md from what the sources declare, and the README's table of benchmarks from
// their results; with --check, fails when they would differ.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchmarkTable } from './docs/benchmark-table.ts';
import { configurationPage } from './docs/configuration-page.ts';
import { errorPage } from './docs/error-page.ts';
import { metricsPage } from './docs/metrics-page.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const BENCHMARKS = /(<!-- benchmarks -->\n)[\s\S]*(<!-- \/benchmarks -->)/;
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const pages = {
  'docs/errors.md': await errorPage(root),
  'docs/configuration.md': configurationPage(),
  'docs/metrics.md': await metricsPage(root),
  'README.md': readme.replace(BENCHMARKS, (_all, begin: string, end: string) => `${begin}${benchmarkTable(root)}${end}`),
};
const check = process.argv.includes('--check');

for (const [path, text] of Object.entries(pages)) {
  const file = join(root, path);
  if (!check) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    console.error(`${path} does not match the sources: run scripts/with-node --conditions=isthmus:source scripts/generate-docs.ts`);
    process.exitCode = 1;
  }
}
