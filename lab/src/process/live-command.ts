import { type ChildProcess, spawn } from 'node:child_process';
import { CodedError } from '@isthmus/core';
import { LAB_COMMAND } from '../lab.errors.ts';

/** A command that runs beside the lab's own, and ends with it: it goes on until its standard input ends. */
export class LiveCommand {
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  #out = '';
  #err = '';

  constructor(argv: readonly string[], env: Readonly<Record<string, string>>) {
    const [program = '', ...args] = argv;
    this.#child = spawn(program, args, { stdio: 'pipe', env: { ...process.env, ...env } });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#out += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#err += text;
    });
    this.#child.stdin?.on('error', () => undefined); // it ended by itself: `end` tells how
    this.#closed = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.#err += error.message;
      });
      this.#child.on('close', () => resolve());
    });
  }

  /** The whole lines that it has printed so far. */
  lines(): string[] {
    return this.#out.split('\n').slice(0, -1);
  }

  /**
   * Tells it to end and waits until it has. Answers all lines.
   * @throws CodedError LAB_COMMAND when it failed
   */
  async end(): Promise<string[]> {
    this.#child.stdin?.end();
    await this.#closed;
    const { exitCode, signalCode } = this.#child;
    if (exitCode === 0) return this.lines();
    const said = this.#err.trim();
    throw new CodedError(LAB_COMMAND, `${this.#child.spawnfile} ended with ${signalCode ?? exitCode}: ${said}`, {
      object: this.#child.spawnfile,
    });
  }

  /** Ends it whatever it does. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
