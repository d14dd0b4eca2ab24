const VARINT = 0;
const BLOCK = 2;
const FIRST_BYTES = 256;

/**
 * Writes protobuf's wire format from the end to the beginning: what a nested message holds is there before its length is written. Fields and
 * repeated elements therefore are written last to first.
 */
export class WireWriter {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #start = FIRST_BYTES;

  /** A number that is exact, up to 2^53; nothing for 0, which is what readers take for an absent one. */
  number(field: number, value: number): void {
    if (value !== 0) this.always(field, value);
  }

  /** A number, also when it is 0: one of several that exclude each other. */
  always(field: number, value: number): void {
    this.#varint(value);
    this.#varint(field * 8 + VARINT);
  }

  /** A number in decimal text, up to 2^64. */
  decimal(field: number, text: string): void {
    const value = BigInt(text);
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) this.#varint(Number(value));
    else this.#largeVarint(value);
    this.#varint(field * 8 + VARINT);
  }

  /** True, or nothing. */
  flag(field: number, value: boolean): void {
    if (value) this.always(field, 1);
  }

  /** Bytes, or text as UTF-8. */
  bytes(field: number, value: Uint8Array | string): void {
    const length = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
    this.#reserve(length);
    if (typeof value === 'string') this.#buffer.write(value, this.#start);
    else this.#buffer.set(value, this.#start);
    this.#varint(length);
    this.#varint(field * 8 + BLOCK);
  }

  /** A message: what `write` writes. */
  message(field: number, write: () => void): void {
    const end = this.#buffer.length - this.#start;
    write();
    this.#varint(this.#buffer.length - this.#start - end);
    this.#varint(field * 8 + BLOCK);
  }

  /** Everything that was written. The writer is done then. */
  finish(): Buffer {
    return this.#buffer.subarray(this.#start);
  }

  #varint(value: number): void {
    let length = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
    this.#reserve(length);
    let at = this.#start;
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#buffer[at++] = (rest % 0x80) | 0x80;
    this.#buffer[at] = rest;
  }

  #largeVarint(value: bigint): void {
    const bytes: number[] = [];
    for (let rest = value; rest > 0n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#start);
  }

  /** Moves the start so many bytes towards the front; there is room for them then. */
  #reserve(bytes: number): void {
    if (this.#start < bytes) this.#grow(bytes);
    this.#start -= bytes;
  }

  #grow(bytes: number): void {
    const used = this.#buffer.length - this.#start;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, used + bytes));
    this.#buffer.copy(larger, larger.length - used, this.#start);
    this.#start = larger.length - used;
    this.#buffer = larger;
  }
}
