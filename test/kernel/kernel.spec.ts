import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { boot, findMachine } from './boot.ts';
import type { Report } from './guest/report.ts';
import { SPECS } from './guest/specs.ts';
import { writeImage } from './image.ts';

// The same objects and the same code on the oldest kernel that we run on, which also has the devices that this machine's kernel may lack.

const repository = fileURLToPath(new URL('../..', import.meta.url));
const BOOT_TIMEOUT_MS = 600_000;

type TestReport = Extract<Report, { kind: 'test' }>;

const tests: TestReport[] = [];
let kernel = '';

/** Jest's own streams are for its report: this is for whoever waits. */
function progress(line: string): void {
  process.stderr.write(`kernel: ${line}\n`);
}

/** In the machine they have lost their types. */
const sourceOf = (file: string): string => file.replace(/\.js$/, '.ts');

function take(report: Report): void {
  if (report.kind === 'booted') {
    kernel = report.kernel;
    progress(`Linux ${report.kernel} is up after ${report.seconds.toFixed(1)} s`);
  } else if (report.kind === 'test') {
    tests.push(report);
    if (report.error !== undefined) progress(`failed: ${report.name}: ${report.error.split('\n')[0]}`);
  } else if (report.kind === 'file') {
    const failed = tests.filter(({ file, error }) => file === report.file && error !== undefined).length;
    const count = tests.filter(({ file }) => file === report.file).length;
    progress(`${report.file}: ${count} tests, ${failed} failed, ${report.seconds.toFixed(1)} s`);
  }
}

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-kernel-'));
  try {
    const machine = findMachine(join(repository, '.toolchain/kernel'));
    const image = join(folder, 'initramfs');
    const { megabytes } = writeImage(image, { repository, modules: machine.modules });
    progress(`an image of ${megabytes} MB is made, booting`);
    await boot(machine, image, take, AbortSignal.timeout(BOOT_TIMEOUT_MS));
  } finally {
    rmSync(folder, { recursive: true });
  }
}, BOOT_TIMEOUT_MS + 60_000);

it('is the old kernel', () => {
  expect(kernel).toMatch(/^6\.1\./);
});

it.each(SPECS)('%s', (spec) => {
  const of = tests.filter(({ file }) => sourceOf(file) === spec);
  expect(of.filter(({ error }) => error !== undefined)).toEqual([]);
  expect(of.length).toBeGreaterThan(0);
});
