import { Backoff, type Cancel, type Clock, CodedError, type Random } from '@isthmus/core';
import { MESH_DRAIN_FAILED } from './remote-errors.ts';

/** What draining works on. */
export interface DrainOptions {
  cluster: string;
  clock: Clock;
  random: Random;
  /** Drops the records. Tried again when it rejects. */
  drop(): void | Promise<void>;
  /** Called when an attempt succeeded. */
  done(): void;
}

/** Drops a cluster's records, again and again until that succeeds. At most one attempt runs at a time. */
export class Drain {
  readonly #options: DrainOptions;
  readonly #backoff: Backoff;
  #running = false;
  #stopped = false;
  #retry: Cancel | undefined;
  #problem: CodedError | undefined;

  constructor(options: DrainOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ minMs: 1_000, maxMs: 60_000 }, options.random);
  }

  /** Why the last attempt failed. */
  get problem(): CodedError | undefined {
    return this.#problem;
  }

  /** Begins, or goes on when an attempt is under way. */
  run(): void {
    this.#stopped = false;
    if (this.#running) return;
    this.#running = true;
    this.#cancel();
    void this.#attempt();
  }

  /** No further attempts; one under way goes on. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #cancel(): void {
    this.#retry?.();
    this.#retry = undefined;
  }

  async #attempt(): Promise<void> {
    const { cluster, clock, drop } = this.#options;
    try {
      await drop();
    } catch (cause) {
      this.#running = false;
      this.#problem = new CodedError(MESH_DRAIN_FAILED, `the records of ${cluster} could not be dropped`, { object: cluster, cause });
      if (!this.#stopped) this.#retry = clock.after(this.#backoff.next(), () => this.run());
      return;
    }
    this.#running = false;
    this.#problem = undefined;
    this.#backoff.reset();
    this.#options.done();
  }
}
