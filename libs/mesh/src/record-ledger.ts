/** Sizes below this are told apart; no record of any kind is longer. */
const SIZE_SPAN = 2 ** 22;

/** How many bytes the records of one cluster may have together, and how many they have. Shared by its kinds. */
export class ByteBudget {
  readonly #limit: number;
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** Takes so many bytes more, or gives some back; false, and nothing is taken, when there are not that many. */
  take(bytes: number): boolean {
    if (bytes > 0 && this.#used + bytes > this.#limit) return false;
    this.#used += bytes;
    return true;
  }
}

/**
 * The records of one kind that a sink has, by name: each with the number of the listing that last showed it and with its size. Two numbers in
 * one, because there may be a million.
 */
export class RecordLedger {
  readonly #entries = new Map<string, number>();
  readonly #budget: ByteBudget;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** A listing or a watch shows the record again, whatever is in it. */
  seen(name: string, listing: number): void {
    this.#entries.set(name, listing * SIZE_SPAN + this.#bytes(name));
  }

  /** The record is taken with so many bytes; false when they are too many, and then nothing has changed. */
  take(name: string, listing: number, bytes: number): boolean {
    const size = Math.min(bytes, SIZE_SPAN - 1);
    if (!this.#budget.take(size - this.#bytes(name))) return false;
    this.#entries.set(name, listing * SIZE_SPAN + size);
    return true;
  }

  /** Returns whether the record was there. */
  delete(name: string): boolean {
    this.#budget.take(-this.#bytes(name));
    return this.#entries.delete(name);
  }

  clear(): void {
    for (const name of this.#entries.keys()) this.#budget.take(-this.#bytes(name));
    this.#entries.clear();
  }

  /** Names of the records that this listing has not shown. */
  *unseenIn(listing: number): Generator<string> {
    for (const [name, entry] of this.#entries) if (Math.floor(entry / SIZE_SPAN) !== listing) yield name;
  }

  #bytes(name: string): number {
    return (this.#entries.get(name) ?? 0) % SIZE_SPAN;
  }
}
