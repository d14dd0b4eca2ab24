import type { Cancel, Clock } from '@isthmus/core';

/**
 * Tells when nothing was heard for a time that may be another one with each packet. A timer that fires late proves nothing: what arrived
 * meanwhile still lies in the socket, so that is read before silence is believed.
 */
export class SilenceWatch {
  readonly #clock: Clock;
  readonly #settle: (then: () => void) => void;
  readonly #expired: () => void;
  #cancel: Cancel | undefined;
  #firesAt = Number.POSITIVE_INFINITY;
  #due = Number.POSITIVE_INFINITY;

  /** @param settle calls back when all that had arrived has been handed over */
  constructor(clock: Clock, settle: (then: () => void) => void, expired: () => void) {
    this.#clock = clock;
    this.#settle = settle;
    this.#expired = expired;
  }

  /** Something was heard: silence begins anew, and is complete after `ms`. */
  heard(ms: number): void {
    this.#due = this.#clock.now() + ms;
    // Putting off is a store; the timer is only set again when it would fire too late.
    if (this.#due < this.#firesAt) this.#arm();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#due = Number.POSITIVE_INFINITY;
    this.#firesAt = Number.POSITIVE_INFINITY;
  }

  #arm(): void {
    this.#cancel?.();
    this.#firesAt = this.#due;
    this.#cancel = this.#clock.after(this.#due - this.#clock.now(), () => this.#look());
  }

  #look(): void {
    this.#cancel = undefined;
    if (this.#due > this.#clock.now()) this.#rearm();
    else this.#settle(() => this.#lookAgain());
  }

  #lookAgain(): void {
    if (this.#due > this.#clock.now()) {
      this.#rearm();
      return;
    }
    this.stop();
    this.#expired();
  }

  /** Not when it was stopped, or armed by a shorter time, while the socket was read. */
  #rearm(): void {
    if (this.#cancel === undefined && this.#due < Number.POSITIVE_INFINITY) this.#arm();
  }
}
