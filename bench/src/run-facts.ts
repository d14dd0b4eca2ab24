import { execFileSync } from 'node:child_process';
import { loadavg, release } from 'node:os';
import type { RunFacts } from './report.ts';

/** What a result says of the machine and the tree. */
export function runFacts(name: string): RunFacts {
  return { name, commit: commit(), kernel: release(), load: loadavg()[0] ?? 0 };
}

function commit(): string {
  const root = new URL('../..', import.meta.url).pathname;
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short', 'HEAD').trim()}${changed ? '+' : ''}`;
  } catch {
    // An unpacked archive has no history; its results say so.
    return 'unknown';
  }
}
