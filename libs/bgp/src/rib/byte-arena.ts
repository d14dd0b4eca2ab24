/** Bytes of a block: 1 MiB, more than any attribute set has. */
const BLOCK_BITS = 20;
const BLOCK = 1 << BLOCK_BITS;
/** Spans are whole multiples of 8 bytes. */
const UNIT_BITS = 3;

/** Byte spans out of large blocks. A freed span is given to the next that needs as many units; neighbours are not joined. */
export class ByteArena {
  readonly #blocks: Uint8Array[] = [];
  #used = BLOCK;
  /** Freed addresses by length in units. */
  readonly #free = new Map<number, number[]>();

  /** @returns the address of a span: in units of 8 bytes over all blocks */
  take(length: number): number {
    const units = (length + 7) >>> UNIT_BITS;
    const freed = this.#free.get(units)?.pop();
    if (freed !== undefined) return freed;
    if (this.#used + (units << UNIT_BITS) > BLOCK) {
      this.#blocks.push(new Uint8Array(BLOCK));
      this.#used = 0;
    }
    const address = (((this.#blocks.length - 1) << (BLOCK_BITS - UNIT_BITS)) >>> 0) + (this.#used >>> UNIT_BITS);
    this.#used += units << UNIT_BITS;
    return address;
  }

  /** Gives back a span of that length. */
  give(address: number, length: number): void {
    const units = (length + 7) >>> UNIT_BITS;
    const list = this.#free.get(units);
    if (list === undefined) this.#free.set(units, [address]);
    else list.push(address);
  }

  /** The block that a span is in. */
  block(address: number): Uint8Array {
    return this.#blocks[address >>> (BLOCK_BITS - UNIT_BITS)]!;
  }

  /** Where in its block a span starts. */
  offset(address: number): number {
    return (address << UNIT_BITS) & (BLOCK - 1);
  }
}
