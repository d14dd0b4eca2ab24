import { FLAG } from './attribute-type.ts';

/** Longest value that a length of one octet tells, RFC 4271 §4.3. */
const SHORT = 255;
const FIRST_CAPACITY = 4096;

/** Writes attribute blocks, one after another, in a buffer that it keeps. */
export class BlockWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #at = 0;

  /** Begins a block; what {@link view} answered is void. */
  reset(): void {
    this.#at = 0;
  }

  /** Head of an attribute: a long value takes the extended length. The value must follow. */
  head(flags: number, type: number, length: number): void {
    this.#reserve(length + 4);
    const long = length > SHORT;
    this.u8((flags & ~FLAG.extendedLength) | (long ? FLAG.extendedLength : 0));
    this.u8(type);
    if (long) this.u8(length >>> 8);
    this.u8(length & 0xff);
  }

  u8(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  u32(value: number): void {
    const bytes = this.#bytes;
    bytes[this.#at++] = value >>> 24;
    bytes[this.#at++] = value >>> 16;
    bytes[this.#at++] = value >>> 8;
    bytes[this.#at++] = value;
  }

  bytes(value: ArrayLike<number>): void {
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** A whole attribute, its value from within other bytes. Most are short: a loop is faster than a view for each. */
  attributeOf(flags: number, type: number, bytes: Uint8Array, from: number, to: number): void {
    this.head(flags, type, to - from);
    for (let at = from; at < to; at++) this.#bytes[this.#at++] = bytes[at]!;
  }

  /** A whole attribute. */
  attribute(flags: number, type: number, value: ArrayLike<number>): void {
    this.head(flags, type, value.length);
    this.bytes(value);
  }

  /** The block so far, until something else is written. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  /** The block so far: a copy. */
  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#at);
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const wider = new Uint8Array(Math.max(this.#at + length, this.#bytes.length * 2));
    wider.set(this.#bytes);
    this.#bytes = wider;
  }
}
