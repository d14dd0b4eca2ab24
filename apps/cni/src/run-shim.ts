import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** How the shim ended: `status` is null when a signal ended it. */
export interface ShimResult {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Whether there is a compiler here that knows these flags. For tests. */
export function canCompile(...flags: readonly string[]): boolean {
  return spawnSync('gcc', ['-xc', ...flags, '-o', '/dev/null', '-'], { input: 'int main(void) { return 0; }' }).status === 0;
}

/** Compiles the shim, with a short time limit for its calls, and answers its path. For tests. */
export function compileShim(dir: string, ...flags: readonly string[]): string {
  const program = join(dir, 'isthmus-cni');
  const source = join(import.meta.dirname, 'isthmus-cni.c');
  execFileSync('gcc', ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-DTIMEOUT_S=1', ...flags, '-o', program, source]);
  return program;
}

/** Runs the shim once. Asynchronously: an agent that a test plays answers from this very process. For tests. */
export function runShim(program: string, env: Record<string, string>, stdin: string | Buffer): Promise<ShimResult> {
  const child = spawn(program, [], { env });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => {}); // it may stop reading: input over the limit
  child.stdin.end(stdin);
  const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString();
  return new Promise((resolve, reject) =>
    child.once('error', reject).once('close', (status) => resolve({ status, out: text(out), err: text(err) })),
  );
}
