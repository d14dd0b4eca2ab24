/** Segments of an index: the top bits of a hash choose one. */
const SEGMENT_BITS = 10;
const FIRST_SLOTS = 16;

/**
 * Open-addressing hash index of small numbers, cut into 1024 segments that grow one at a time: with a million entries a rehash moves about a
 * thousand of them, so that no insert is ever slow. Keys live with the owner, who compares them; number 0 is never in the index.
 */
export class IdIndex {
  readonly #segments: (Int32Array | undefined)[] = new Array(1 << SEGMENT_BITS).fill(undefined);
  readonly #counts = new Uint32Array(1 << SEGMENT_BITS);
  readonly #hashOf: (id: number) => number;

  /** @param hashOf the hash of a number that is in the index */
  constructor(hashOf: (id: number) => number) {
    this.#hashOf = hashOf;
  }

  /** The slots that an entry with this hash is in, from `hash & (length - 1)` on up to the first zero; undefined when there are none. */
  slots(hash: number): Int32Array | undefined {
    return this.#segments[hash >>> (32 - SEGMENT_BITS)];
  }

  /** Adds a number that is not there. */
  insert(hash: number, id: number): void {
    const number = hash >>> (32 - SEGMENT_BITS);
    let slots = this.#segments[number];
    const count = this.#counts[number]! + 1;
    if (slots === undefined || count * 8 > slots.length * 5) {
      slots = this.#rehashed(slots);
      this.#segments[number] = slots;
    }
    this.#counts[number] = count;
    place(slots, hash, id);
  }

  /** Takes out a number that is there; those behind it move up, so that there are no tombstones. */
  remove(hash: number, id: number): void {
    const slots = this.slots(hash)!;
    const mask = slots.length - 1;
    let hole = hash & mask;
    while (slots[hole] !== id) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; slots[at] !== 0; at = (at + 1) & mask) {
      const home = this.#hashOf(slots[at]!) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = slots[at]!;
      hole = at;
    }
    slots[hole] = 0;
    this.#counts[hash >>> (32 - SEGMENT_BITS)]!--;
  }

  #rehashed(old: Int32Array | undefined): Int32Array {
    if (old === undefined) return new Int32Array(FIRST_SLOTS);
    const slots = new Int32Array(old.length * 2);
    for (const id of old) if (id !== 0) place(slots, this.#hashOf(id), id);
    return slots;
  }
}

function place(slots: Int32Array, hash: number, id: number): void {
  const mask = slots.length - 1;
  let at = hash & mask;
  while (slots[at] !== 0) at = (at + 1) & mask;
  slots[at] = id;
}

/** Spreads the bits of a 32-bit number over all 32 (the finalizer of MurmurHash3). */
export function mixed(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
