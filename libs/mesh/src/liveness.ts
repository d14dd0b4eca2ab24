import type { Cancel, Clock } from '@isthmus/core';

/** Heartbeats come every 60 s; two missed ones make a cluster stale. */
export const HEARTBEAT_TIMEOUT_MS = 120_000;

/** Tells whether a heartbeat still changes, by our own monotonic clock: the time written in it is never compared with ours. */
export class Liveness {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onChange: () => void;
  #last: string | undefined;
  #changedAt = 0;
  #stale = false;
  #cancel: Cancel | undefined;

  /** @param onChange called when {@link stale} changes */
  constructor(clock: Clock, timeoutMs: number, onChange: () => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onChange = onChange;
  }

  /** No change for longer than the timeout. */
  get stale(): boolean {
    return this.#stale;
  }

  /** Milliseconds since the value last changed, or since {@link start}. */
  get ageMs(): number {
    return this.#clock.now() - this.#changedAt;
  }

  /** Begins to count, as if the heartbeat had changed now. */
  start(): void {
    this.#last = undefined;
    this.#stale = false;
    this.#changedAt = this.#clock.now();
    this.#arm();
  }

  /** The heartbeat's value. Returns whether it is another one than before; the same value again is no sign of life. */
  beat(value: string): boolean {
    if (value === this.#last) return false;
    this.#last = value;
    this.#changedAt = this.#clock.now();
    this.#arm();
    this.#set(false);
    return true;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    this.#cancel?.();
    this.#cancel = this.#clock.after(this.#timeoutMs, () => this.#set(true));
  }

  #set(stale: boolean): void {
    if (stale === this.#stale) return;
    this.#stale = stale;
    this.#onChange();
  }
}
