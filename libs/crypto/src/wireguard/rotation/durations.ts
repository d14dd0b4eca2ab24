interface Entry {
  value: number;
  /** The last one that asked. */
  look: number;
}

/** How long things have been so. What is not asked for in a look is not so any more, and begins anew when it is so again. */
export class Durations {
  /** By what it is, and of whom: a thousand peers are asked about in each look, and their names are not put together with anything. */
  readonly #kinds = new Map<string, Map<string, Entry>>();
  #look = 0;
  #now = 0;

  /** @param now monotonic, ms */
  begin(now: number): void {
    this.#now = now;
    this.#look++;
  }

  /** Milliseconds for which something has been so. */
  lasted(what: string, of = ''): number {
    return this.#now - this.#entry(what, of, this.#now).value;
  }

  /** Whether a count is greater than it has been since something is so; it begins with none. */
  isMore(what: string, of: string, count: number): boolean {
    const entry = this.#entry(what, of, 0);
    const isMore = count > entry.value;
    if (isMore) entry.value = count;
    return isMore;
  }

  /** Forgets what was not asked for since {@link begin}. */
  end(): void {
    for (const [what, entries] of this.#kinds) {
      for (const [of, { look }] of entries) if (look !== this.#look) entries.delete(of);
      if (entries.size === 0) this.#kinds.delete(what);
    }
  }

  #entry(what: string, of: string, first: number): Entry {
    const entries = this.#kinds.get(what) ?? new Map<string, Entry>();
    if (entries.size === 0) this.#kinds.set(what, entries);
    const entry = entries.get(of) ?? { value: first, look: 0 };
    if (entry.look === 0) entries.set(of, entry);
    entry.look = this.#look;
    return entry;
  }
}
