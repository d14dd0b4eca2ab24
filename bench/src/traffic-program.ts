import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { runCommand } from '@isthmus/lab';

const SOURCE = new URL('./traffic.c', import.meta.url).pathname;
const PROGRAM = new URL('../../.toolchain/bench/traffic', import.meta.url).pathname;

/**
 * Path of the program of `traffic.c`, compiled now if it is missing or older than its source.
 * @throws CodedError LAB_COMMAND with the compiler's message
 */
export async function trafficProgram(): Promise<string> {
  if (existsSync(PROGRAM) && statSync(PROGRAM).mtimeMs >= statSync(SOURCE).mtimeMs) return PROGRAM;
  mkdirSync(dirname(PROGRAM), { recursive: true });
  await runCommand(['gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', `${PROGRAM}.tmp`, SOURCE]);
  renameSync(`${PROGRAM}.tmp`, PROGRAM);
  return PROGRAM;
}
