/** Sets of entries of advertisements, numbered as they come: few, however many routes there are. */
export class EntrySets {
  readonly #numbers = new Map<string, number>();
  readonly #sets = new Map<number, readonly string[]>();

  /** Entries by number. */
  get all(): ReadonlyMap<number, readonly string[]> {
    return this.#sets;
  }

  /** The number of a set. @param entries sorted @returns whether it is new, too */
  numberOf(entries: readonly string[]): { number: number; isNew: boolean } {
    const key = entries.join('\n');
    const known = this.#numbers.get(key);
    if (known !== undefined) return { number: known, isNew: false };
    const number = this.#numbers.size + 1;
    this.#numbers.set(key, number);
    this.#sets.set(number, entries);
    return { number, isNew: true };
  }
}
