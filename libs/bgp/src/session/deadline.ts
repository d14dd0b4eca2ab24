import type { Cancel, Clock } from '@isthmus/core';

/**
 * A timer that is put off far more often than it runs out: putting off is a store, the clock's timer is set again only when it fires. It looks
 * once more after the loop has read what arrived meanwhile, so that a busy process does not take its own delay for a peer's silence.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #expired: () => void;
  #cancel: Cancel | undefined;
  #ms = 0;
  #due = 0;

  constructor(clock: Clock, expired: () => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  /** Runs out `ms` milliseconds from now, and from each {@link putOff}. 0 means never. */
  set(ms: number): void {
    this.stop();
    this.#ms = ms;
    if (ms === 0) return;
    this.putOff();
    this.#cancel = this.#clock.after(ms, () => this.#look());
  }

  /** Starts the time anew. */
  putOff(): void {
    this.#due = this.#clock.now() + this.#ms;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #look(): void {
    const left = this.#due - this.#clock.now();
    this.#cancel = this.#clock.after(Math.max(0, left), () => (left > 0 ? this.#look() : this.#lookAgain()));
  }

  #lookAgain(): void {
    this.#cancel = undefined;
    if (this.#due > this.#clock.now()) this.#look();
    else this.#expired();
  }
}
