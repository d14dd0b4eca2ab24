/** A key that nothing seemed to need, as it stood then. */
export interface Unused {
  readonly key: string;
  readonly modRevision: number;
}

/**
 * Remembers what the pass before found unused. Something goes only when two passes in a row find it so and nobody wrote it in between: what
 * is being made just now is never taken for garbage.
 */
export class TwoPassSweep {
  #before: ReadonlyMap<string, number> = new Map();

  /** Takes a complete pass. @returns what was unused in the pass before too */
  pass<T extends Unused>(unused: readonly T[]): T[] {
    const ripe = unused.filter(({ key, modRevision }) => this.#before.get(key) === modRevision);
    this.#before = new Map(unused.map(({ key, modRevision }) => [key, modRevision]));
    return ripe;
  }
}
