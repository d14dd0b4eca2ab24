import type { Clock, TableWriter } from '@isthmus/core';
import { encodeTimestamp } from '@isthmus/mesh';

/** What a {@link Canary} is made of. */
export interface CanaryOptions {
  /** `cilium/synced/…` */
  key: string;
  clock: Clock;
  leased: TableWriter<string>;
  /** Resolves when all records that are known now are in the etcd, and nothing else. */
  flushed(signal: AbortSignal): Promise<void>;
}

/** The mark that a prefix has been written in full. It is written only after that is so, and stands until taken back. */
export class Canary {
  readonly #options: CanaryOptions;
  #waiting: AbortController | undefined;

  constructor(options: CanaryOptions) {
    this.#options = options;
  }

  /** The mark has been given out. */
  get standing(): boolean {
    const { leased, key } = this.#options;
    return leased.table.has(key);
  }

  /** The records are complete: gives the mark out once they are written. Does nothing while that is under way or done. */
  arm(): void {
    if (this.#waiting || this.standing) return;
    const waiting = new AbortController();
    this.#waiting = waiting;
    this.#options.flushed(waiting.signal).then(
      () => this.#write(waiting),
      () => undefined, // rejects only by abort
    );
  }

  /** Takes the mark back, or gives up the wait for it. */
  withdraw(): void {
    this.stop();
    this.#options.leased.delete(this.#options.key);
  }

  /** Gives up the wait; a mark that was given out stays. */
  stop(): void {
    this.#waiting?.abort(new Error('the wait for the canary ended'));
    this.#waiting = undefined;
  }

  #write(waiting: AbortController): void {
    if (this.#waiting !== waiting) return;
    this.#waiting = undefined;
    this.#options.leased.put(this.#options.key, encodeTimestamp(this.#options.clock.wall()));
  }
}
