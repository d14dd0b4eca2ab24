/** What a test must undo, also when its set-up failed half-way. */
export class Cleanup {
  #steps: (() => void | Promise<void>)[] = [];

  /** Keeps a thing and removes it at the end. */
  add<T>(thing: T, undo: (thing: T) => void | Promise<void>): T {
    this.#steps.push(() => undo(thing));
    return thing;
  }

  /** Undoes everything, the latest first; a failing step does not keep the others from running. @throws AggregateError */
  async run(): Promise<void> {
    const errors: unknown[] = [];
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'cleaning up failed');
  }
}
