/**
 * What a peer that takes several paths of a prefix was told of one family, RFC 7911. A path's identifier is its number in the table: another path
 * of the prefix that gets the number later takes its place at the peer, too.
 */
export class SentPaths {
  /** By prefix: attribute set by path number. */
  readonly #sent = new Map<number, Map<number, number>>();
  /** Messages that are made and wait for their turn. */
  readonly pending: Uint8Array[] = [];

  /** Sets by path number. */
  of(prefix: number): ReadonlyMap<number, number> {
    return this.#sent.get(prefix) ?? NOTHING;
  }

  /** Keeps what a prefix has now. */
  keep(prefix: number, sets: ReadonlyMap<number, number>): void {
    if (sets.size === 0) this.#sent.delete(prefix);
    else this.#sent.set(prefix, new Map(sets));
  }
}

const NOTHING: ReadonlyMap<number, number> = new Map();
