/** Cancels a timer. Calling it twice, or after the timer fired, is fine. */
export type Cancel = () => void;

/** Time, as domain code sees it: monotonic for durations, wall time only for what people read. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary start. Never jumps when the machine's clock is set. */
  now(): number;
  /** Wall time in milliseconds since 1970; for display and for wire formats that carry a date. */
  wall(): number;
  /** Calls `fn` once, `ms` milliseconds of monotonic time from now. */
  after(ms: number, fn: () => void): Cancel;
}

/** Resolves after `ms`, or rejects with the signal's reason as soon as it aborts. */
export function delay(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** A clock that moves only when told to. For tests. */
export class ManualClock implements Clock {
  #now = 0;
  #wall: number;
  #timers: { at: number; seq: number; fn: () => void }[] = [];
  #seq = 0;

  constructor(wall = Date.UTC(2026, 0, 1)) {
    this.#wall = wall;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#wall;
  }

  after(ms: number, fn: () => void): Cancel {
    const timer = { at: this.#now + Math.max(0, ms), seq: this.#seq++, fn };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer);
    };
  }

  /** Moves time forward, firing timers in order; a timer set by a timer fires too when it is due. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at || a.seq - b.seq)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((t) => t !== due);
      this.#move(due.at - this.#now);
      due.fn();
    }
    this.#move(end - this.#now);
  }

  /** Steps the wall clock alone, as an operator or NTP does. */
  stepWall(ms: number): void {
    this.#wall += ms;
  }

  #move(ms: number): void {
    this.#now += ms;
    this.#wall += ms;
  }
}
