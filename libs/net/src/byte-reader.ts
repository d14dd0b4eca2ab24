/** Reads numbers and byte runs from a buffer, front to back. Big-endian (network order) unless the name says Le. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes left. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  u16Le(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32Le(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64Le(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** The next `length` bytes, as a view into the buffer, not a copy. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** A reader of the next `length` bytes alone. */
  sub(length: number): ByteReader {
    return new ByteReader(this.bytes(length));
  }

  /** Passes over `length` bytes. */
  skip(length: number): void {
    this.#take(length);
  }

  /** @throws RangeError when fewer than `length` bytes are left */
  #take(length: number): number {
    if (!Number.isInteger(length) || length < 0 || length > this.remaining) {
      throw new RangeError(`${length} bytes wanted at offset ${this.#offset}, ${this.remaining} left`);
    }
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}
