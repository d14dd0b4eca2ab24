/** Bytes of a block: 1 MiB, more than any attribute set has. */
const BLOCK_BITS = 20;
const BLOCK = 1 << BLOCK_BITS;
/** Spans are whole multiples of 8 bytes. */
const UNIT_BITS = 3;
/** Behind the last of the freed spans of a length. */
const NONE = 0xffff_ffff;

/**
 * Byte spans out of large blocks. A freed span is given to the next that needs as many units; neighbours are not joined. What is freed needs no
 * memory beside itself: a table that loses all its routes does not grow.
 */
export class ByteArena {
  readonly #blocks: Uint8Array[] = [];
  /** The same blocks. */
  readonly #words: Uint32Array[] = [];
  #used = BLOCK;
  /** The first freed span by length in units; its first word is the address of the next. */
  readonly #free = new Map<number, number>();

  /** @returns the address of a span: in units of 8 bytes over all blocks */
  take(length: number): number {
    const units = unitsOf(length);
    const freed = this.#free.get(units) ?? NONE;
    if (freed !== NONE) {
      this.#free.set(units, this.#wordsOf(freed)[this.offset(freed) >>> 2]!);
      return freed;
    }
    if (this.#used + (units << UNIT_BITS) > BLOCK) {
      const block = new Uint8Array(BLOCK);
      this.#blocks.push(block);
      this.#words.push(new Uint32Array(block.buffer));
      this.#used = 0;
    }
    const address = (((this.#blocks.length - 1) << (BLOCK_BITS - UNIT_BITS)) >>> 0) + (this.#used >>> UNIT_BITS);
    this.#used += units << UNIT_BITS;
    return address;
  }

  /** Gives back a span of that length. */
  give(address: number, length: number): void {
    const units = unitsOf(length);
    this.#wordsOf(address)[this.offset(address) >>> 2] = this.#free.get(units) ?? NONE;
    this.#free.set(units, address);
  }

  /** The block that a span is in. */
  block(address: number): Uint8Array {
    return this.#blocks[address >>> (BLOCK_BITS - UNIT_BITS)]!;
  }

  /** Where in its block a span starts. */
  offset(address: number): number {
    return (address << UNIT_BITS) & (BLOCK - 1);
  }

  #wordsOf(address: number): Uint32Array {
    return this.#words[address >>> (BLOCK_BITS - UNIT_BITS)]!;
  }
}

/** A freed span has room for an address. */
function unitsOf(length: number): number {
  return Math.max(1, (length + 7) >>> UNIT_BITS);
}
