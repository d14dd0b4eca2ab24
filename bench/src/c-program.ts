import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { runCommand } from '@isthmus/lab';

const PROGRAMS = new URL('../../.toolchain/bench/', import.meta.url).pathname;

/**
 * Path of a program of C, compiled now if it is missing or older than its sources.
 * @param sources paths of its files, headers among them
 * @throws CodedError LAB_COMMAND with the compiler's message
 */
export async function cProgram(name: string, sources: readonly string[]): Promise<string> {
  const program = `${PROGRAMS}${name}`;
  if (existsSync(program) && sources.every((source) => statSync(program).mtimeMs >= statSync(source).mtimeMs)) return program;
  mkdirSync(dirname(program), { recursive: true });
  const compiled = sources.filter((source) => source.endsWith('.c'));
  await runCommand(['gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', `${program}.tmp`, ...compiled]);
  renameSync(`${program}.tmp`, program);
  return program;
}
