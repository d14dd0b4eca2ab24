import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { CodedError } from '@isthmus/core';
import { LAB_COMMAND } from '../lab.errors.ts';

/** How a command ended. */
export interface CommandResult {
  /** Exit status; 128 + signal number when a signal ended it, 124 when it ran out of time. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a command. */
export interface CommandOptions {
  /** Given to it on standard input. */
  readonly input?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds after which it is killed; no limit unless given. */
  readonly timeoutMs?: number;
}

const STATUS_TIMEOUT = 124;
const STATUS_SIGNALLED = 128;

/** Runs a command to its end, whatever its exit status. Its output is taken as UTF-8. */
export function tryCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...options.env },
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const }),
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => undefined); // A command that does not read its input is fine: its exit status tells.
    child.stdin.end(options.input ?? '');
    child.on('error', (cause) =>
      reject(new CodedError(LAB_COMMAND, `cannot run ${program}: ${cause.message}`, { object: program, cause })),
    );
    child.on('close', (code, signal) => {
      const status = code ?? (child.killed ? STATUS_TIMEOUT : STATUS_SIGNALLED + signalNumber(signal));
      resolve({ status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
  });
}

/**
 * Runs a command that must succeed, and answers its standard output.
 * @throws CodedError LAB_COMMAND with the command's own message
 */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await tryCommand(argv, options);
  if (status === 0) return stdout;
  const said = (stderr || stdout).trim().split('\n').slice(-5).join('; ');
  throw new CodedError(LAB_COMMAND, `${argv.slice(0, 6).join(' ')} failed with status ${status}: ${said}`, { object: argv[0] ?? '' });
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : (constants.signals[signal] ?? 0);
}
