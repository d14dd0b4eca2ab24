/** Reads protobuf's wire format from a buffer without copying. Every read that would leave the message throws. */
export class WireReader {
  readonly #buffer: Buffer;
  #position: number;
  #end: number;

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.#buffer = buffer;
    this.#position = start;
    this.#end = end;
  }

  /** True when nothing is left. */
  get done(): boolean {
    return this.#position >= this.#end;
  }

  /** A varint as a number: exact up to 2^53, which revisions never reach. */
  number(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  }

  /** A varint as decimal text, exact for all 64 bits, read as unsigned. */
  decimal(): string {
    const start = this.#position;
    const value = this.number();
    if (value <= Number.MAX_SAFE_INTEGER) return String(value);
    let exact = 0n;
    for (let i = start, shift = 0n; i < this.#position; i++, shift += 7n) exact |= BigInt(this.#buffer[i]! & 0x7f) << shift;
    return String(BigInt.asUintN(64, exact));
  }

  /** A length-delimited field as a view. */
  bytes(): Buffer {
    const start = this.#enter();
    return this.#buffer.subarray(start, this.#position);
  }

  /** A length-delimited field as UTF-8 text. */
  text(): string {
    const start = this.#enter();
    return this.#buffer.toString('utf8', start, this.#position);
  }

  /** A length-delimited field as a message of its own. */
  message(): WireReader {
    const start = this.#enter();
    return new WireReader(this.#buffer, start, this.#position);
  }

  /** A reader of the same message from where this one stands. */
  again(): WireReader {
    return new WireReader(this.#buffer, this.#position, this.#end);
  }

  /** Passes over the value that belongs to this tag. */
  skip(tag: number): void {
    const type = tag & 7;
    if (type === 0) this.number();
    else if (type === 2) this.#enter();
    else if (type === 1) this.#advance(8);
    else if (type === 5) this.#advance(4);
    else throw new Error(`wire type ${type} is not known`);
  }

  #byte(): number {
    if (this.#position >= this.#end) throw new Error('the message ends early');
    return this.#buffer[this.#position++]!;
  }

  /** Reads a length and steps over that many bytes; returns where they begin. */
  #enter(): number {
    const length = this.number();
    const start = this.#position;
    this.#advance(length);
    return start;
  }

  #advance(length: number): void {
    if (length > this.#end - this.#position) throw new Error('the message ends early');
    this.#position += length;
  }
}
