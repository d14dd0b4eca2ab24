import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { CodedError } from '@isthmus/core';
import { BENCH_BGP } from '../bench.errors.ts';

const LOG_BYTES = 4_000;

/** How a {@link Child} is started. */
export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Nobody reads its standard output: who fills a pipe that is not read stands still. */
  readonly silent?: boolean;
}

const running = new Set<Child>();

/** Ends every process that was started, whatever it was doing: an interrupted benchmark leaves nothing behind. */
export async function stopChildren(): Promise<void> {
  await Promise.all([...running].map((child) => child.stop()));
}

/** A process of the benchmark in a network namespace: its lines are read one by one, and it is stopped by its own id. */
export class Child {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string> | undefined;
  #log = '';

  /** @param words program and arguments; `ip netns exec` becomes it, so that the id is the program's own */
  constructor(name: string, netns: string, words: readonly string[], { env, silent = false }: ChildOptions = {}) {
    this.#name = name;
    this.#child = spawn('ip', ['netns', 'exec', netns, ...words], {
      ...(env && { env }),
      stdio: ['pipe', silent ? 'ignore' : 'pipe', 'pipe'],
    });
    running.add(this);
    this.#child.once('exit', () => running.delete(this));
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.#log = (this.#log + chunk).slice(-LOG_BYTES);
    });
    this.#child.stdin!.on('error', () => undefined); // Who does not read has ended: the next line tells.
    this.#lines = this.#child.stdout ? createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]() : undefined;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Writes a line to its standard input. */
  tell(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  /** The next line of its standard output. @throws CodedError BENCH_BGP when there is none any more */
  async nextLine(): Promise<string> {
    const next = await this.#lines?.next();
    if (next?.done === false) return next.value;
    throw new CodedError(BENCH_BGP, `${this.#name} ended: ${this.#log.trim() || 'it said nothing'}`, { object: this.#name });
  }

  /** Ends it and waits for that; fine when it has ended. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }
}
