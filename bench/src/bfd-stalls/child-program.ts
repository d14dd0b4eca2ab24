import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { CodedError } from '@isthmus/core';
import { waitUntil } from '@isthmus/lab';
import { BENCH_CHILD } from '../bench.errors.ts';

const LOOK_MS = 5;
const TIMEOUT_MS = 20_000;
/** What is kept of what it says. */
const MAX_TEXT = 4_000;

/** A program that runs beside the benchmark: its lines can be asked for, and it is ended by its own id. */
export class ChildProgram {
  readonly #child: ChildProcess;
  #out = '';
  #err = '';

  constructor([program = '', ...words]: readonly string[]) {
    this.#child = spawn(program, words, { stdio: 'pipe' });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#out = (this.#out + text).slice(-MAX_TEXT)));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#err = (this.#err + text).slice(-MAX_TEXT)));
    this.#child.stdin?.on('error', () => undefined); // It ended: whoever asks it for something is told.
    this.#child.on('error', (error) => (this.#err += error.message));
  }

  /** Says a line to it, and answers with its next one. @throws CodedError as {@link until} */
  async ask(line: string): Promise<string> {
    this.#out = '';
    this.#child.stdin?.write(`${line}\n`);
    await this.until('an answer', () => this.#out.includes('\n'));
    return this.#out.split('\n')[0] ?? '';
  }

  /** Waits for something that it brings about. @throws CodedError BENCH_CHILD when it ended, LAB_TIMEOUT when it takes too long */
  async until(what: string, isSo: () => boolean): Promise<void> {
    const program = this.#child.spawnfile;
    const said = (): string => this.#err || this.#out;
    const look = (): boolean => {
      if (isSo()) return true;
      if (this.#hasEnded()) throw new CodedError(BENCH_CHILD, `${program} ended before ${what}: ${said()}`);
      return false;
    };
    await waitUntil(look, { what: `${what} of ${program}`, timeoutMs: TIMEOUT_MS, everyMs: LOOK_MS, onTimeout: said });
  }

  /** Ends it, however it is. */
  async stop(): Promise<void> {
    if (this.#hasEnded()) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  #hasEnded(): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    return pid === undefined || exitCode !== null || signalCode !== null;
  }
}
