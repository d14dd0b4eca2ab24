import { Backoff, type Cancel, type Clock, type Random } from '@isthmus/core';
import type { KindImporter } from './kind-importer.ts';

/** What a confirmation works on. */
export interface ConfirmationOptions<T> {
  clock: Clock;
  random: Random;
  /** Reads the leased keys of these kinds from the store itself; false when the answer is not certain. */
  refresh(kinds: readonly KindImporter<T>[]): Promise<boolean>;
  /** The answer is in: confirm or distrust each kind. */
  answered(kinds: readonly KindImporter<T>[]): void;
  /** Something may be asked again. */
  settle(): void;
}

/** Asks the store whether configuration and canaries stand before deletions are believed. One question at a time; failed ones are repeated. */
export class Confirmation<T> {
  readonly #options: ConfirmationOptions<T>;
  readonly #backoff: Backoff;
  #asking = false;
  #stopped = false;
  #retry: Cancel | undefined;
  #error: unknown;

  constructor(options: ConfirmationOptions<T>) {
    this.#options = options;
    this.#backoff = new Backoff({ minMs: 500, maxMs: 30_000 }, options.random);
  }

  /** Why the last question got no answer; undefined when it got one. */
  get error(): unknown {
    return this.#error;
  }

  /** Asks about those kinds that need it, unless a question is open or waits to be repeated. */
  ask(kinds: readonly KindImporter<T>[]): void {
    this.#stopped = false;
    const waiting = kinds.filter((kind) => kind.needsConfirmation);
    if (waiting.length === 0 || this.#asking || this.#retry !== undefined) return;
    for (const kind of waiting) kind.ask();
    this.#asking = true;
    void this.#await(waiting);
  }

  /** Repeats nothing any more. An open question's answer is for its owner to judge. */
  stop(): void {
    this.#stopped = true;
    this.#retry?.();
    this.#retry = undefined;
  }

  async #await(waiting: readonly KindImporter<T>[]): Promise<void> {
    let certain = false;
    try {
      certain = await this.#options.refresh(waiting);
      this.#error = undefined;
      this.#backoff.reset();
    } catch (error) {
      this.#error = error;
      this.#later();
    }
    if (certain) this.#options.answered(waiting);
    this.#asking = false;
    for (const kind of waiting) kind.takeBack();
    this.#options.settle();
  }

  #later(): void {
    if (this.#stopped) return;
    this.#retry = this.#options.clock.after(this.#backoff.next(), () => {
      this.#retry = undefined;
      this.#options.settle();
    });
  }
}
