/** Wakes whoever waits when something changed. Says nothing about what: waiters look for themselves. */
export class Notifier {
  #waiters: (() => void)[] = [];
  #listeners = new Set<() => void>();

  /** Wakes all waiters and calls all listeners. */
  notify(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
    for (const listener of [...this.#listeners]) listener();
  }

  /** Resolves at the next {@link notify}; rejects with the signal's reason when it aborts first. */
  wait(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        this.#waiters = this.#waiters.filter((waiter) => waiter !== wake);
        reject(signal?.reason);
      };
      const wake = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      this.#waiters.push(wake);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Resolves as soon as `condition` holds; it is tried now and after each {@link notify}. */
  async until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    while (!condition()) await this.wait(signal);
  }

  /** Calls `listener` at each {@link notify} until the returned function is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
