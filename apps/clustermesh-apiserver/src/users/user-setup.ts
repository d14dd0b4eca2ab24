import { Backoff, type Clock, delay, LOG, type Random } from '@isthmus/core';
import type { Log } from '../log.ts';

/** Setting users up is tried until it works. */
const RETRY = { minMs: 250, maxMs: 15_000 };

/** What a {@link UserSetup} works with. */
export interface UserSetupOptions {
  /** Of which etcd, for people. */
  etcd: string;
  setUp(): Promise<void>;
  clock: Clock;
  random: Random;
  log: Log;
}

/** Sets the users of one etcd up, again and again until that succeeds. */
export class UserSetup {
  readonly #options: UserSetupOptions;
  #done = false;
  #round = 0;

  constructor(options: UserSetupOptions) {
    this.#options = options;
  }

  /** The etcd whose users are not set up; undefined when they are. */
  get missing(): string | undefined {
    return this.#done ? undefined : `users of the ${this.#options.etcd}`;
  }

  /** Resolves when it is done, or the signal aborts. A later call replaces an earlier one, whose promise then resolves with it. */
  async run(signal: AbortSignal): Promise<void> {
    const round = ++this.#round;
    this.#done = false;
    const { etcd, setUp, clock, random, log } = this.#options;
    const backoff = new Backoff(RETRY, random);
    while (!signal.aborted && round === this.#round) {
      try {
        await setUp();
        this.#done = round === this.#round;
        return;
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ etcd, [LOG.error]: error }, 'users cannot be set up yet');
        await delay(clock, backoff.next(), signal).catch(() => undefined); // rejects only by abort
      }
    }
  }
}
