/**
 * A question that many ask at a time. Who asks while it is under way waits for the next one, which begins when this one has ended: an answer
 * is never older than the asking.
 */
export class Shared<T> {
  #underWay: Promise<unknown> | undefined;
  #next: Promise<T> | undefined;

  /** Nobody asks. */
  get idle(): boolean {
    return this.#underWay === undefined && this.#next === undefined;
  }

  /** @param question the same for all who ask */
  ask(question: () => Promise<T>): Promise<T> {
    this.#next ??= this.#after(this.#underWay, question);
    return this.#next;
  }

  async #after(before: Promise<unknown> | undefined, question: () => Promise<T>): Promise<T> {
    // Not at once: those who ask in the same turn ask together.
    await (before ?? Promise.resolve());
    const answer = question();
    const ended = answer.then(
      () => undefined,
      () => undefined,
    );
    this.#underWay = ended;
    this.#next = undefined;
    try {
      return await answer;
    } finally {
      if (this.#underWay === ended) this.#underWay = undefined;
    }
  }
}

/** The promise, or the signal's reason as soon as it aborts; what was promised goes on for the others. */
export function withSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    // Also when it has aborted: nobody else may listen to what was promised.
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
