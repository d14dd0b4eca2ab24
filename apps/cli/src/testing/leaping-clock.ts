import { type Cancel, ManualClock } from '@isthmus/core';

/** Time that leaps to whatever is waited for: waits end at once, and still take as long as they should. */
export class LeapingClock extends ManualClock {
  override after(ms: number, fn: () => void): Cancel {
    const cancel = super.after(ms, fn);
    queueMicrotask(() => this.advance(ms));
    return cancel;
  }
}
