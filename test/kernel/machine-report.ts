import type { Report } from './guest/report.ts';

/** What came of one test in the machine. */
export type TestReport = Extract<Report, { kind: 'test' }>;

/** Jest's own streams are for its report: this is for whoever waits. */
export function progress(line: string): void {
  process.stderr.write(`kernel: ${line}\n`);
}

/** In the machine they have lost their types. */
const sourceOf = (file: string): string => file.replace(/\.js$/, '.ts');

/** What one machine has said. */
export class MachineReport {
  readonly #tests: TestReport[] = [];
  /** The kernel that it says it is. */
  kernel = '';

  /** Keeps what it says, and passes on what is worth to be read meanwhile. */
  take(report: Report): void {
    if (report.kind === 'booted') {
      this.kernel = report.kernel;
      progress(`Linux ${report.kernel} is up after ${report.seconds.toFixed(1)} s`);
    } else if (report.kind === 'test') {
      this.#tests.push(report);
      if (report.error !== undefined) progress(`failed: ${report.name}: ${report.error.split('\n')[0]}`);
    } else if (report.kind === 'progress') {
      progress(report.text);
    } else if (report.kind === 'file') {
      const tests = this.of(sourceOf(report.file));
      const failed = tests.filter(({ error }) => error !== undefined).length;
      progress(`${report.file}: ${tests.length} tests, ${failed} failed, ${report.seconds.toFixed(1)} s`);
    }
  }

  /** The tests of a file. */
  of(spec: string): TestReport[] {
    return this.#tests.filter(({ file }) => sourceOf(file) === spec);
  }
}
