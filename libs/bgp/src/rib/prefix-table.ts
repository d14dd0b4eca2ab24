import { Cidr, Ip } from '@isthmus/net';
import type { RoutedFamily } from '../family/routed-family.ts';
import { widened } from './column.ts';
import { IdIndex, mixed } from './id-index.ts';

const FIRST_CAPACITY = 1024;
/** Stands for the length of a prefix that was released. */
const RELEASED = 255;

/** The prefixes of one family as small numbers from 1 on. Numbers of released prefixes are given out again. */
export class PrefixTable {
  readonly family: RoutedFamily;
  /** 32-bit words of an address: 1 or 4. */
  readonly #words: number;
  #address: Uint32Array<ArrayBuffer>;
  #length = new Uint8Array(FIRST_CAPACITY);
  #capacity = FIRST_CAPACITY;
  #next = 1;
  readonly #free: number[] = [];
  readonly #index = new IdIndex((id) => this.#hash(id * this.#words, this.#address, this.#length[id]!));
  /** The prefix that is looked for, in words. */
  readonly #key: Uint32Array<ArrayBuffer>;

  constructor(family: RoutedFamily) {
    this.family = family;
    this.#words = family === 'ipv4' ? 1 : 4;
    this.#address = new Uint32Array(FIRST_CAPACITY * this.#words);
    this.#key = new Uint32Array(this.#words);
  }

  /** All numbers given out are below. */
  get end(): number {
    return this.#next;
  }

  /** Prefixes in the table. */
  get size(): number {
    return this.#next - 1 - this.#free.length;
  }

  /** The number of the prefix whose length octet is at `at`; bits behind its length do not count. Makes one if `add`; 0 when there is none. */
  find(bytes: Uint8Array, at: number, add: boolean): number {
    const length = bytes[at]!;
    this.#readKey(bytes, at + 1, length);
    const hash = this.#hash(0, this.#key, length);
    const slots = this.#index.slots(hash);
    if (slots !== undefined) {
      const mask = slots.length - 1;
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        const id = slots[slot]!;
        if (id === 0) break;
        if (this.#length[id] === length && this.#same(id)) return id;
      }
    }
    return add ? this.#add(hash, length) : 0;
  }

  /** Forgets a prefix that nothing refers to. */
  release(id: number): void {
    this.#index.remove(this.#hash(id * this.#words, this.#address, this.#length[id]!), id);
    this.#length[id] = RELEASED;
    this.#free.push(id);
  }

  /** Whether a number has a prefix now. */
  isUsed(id: number): boolean {
    return this.#length[id] !== RELEASED;
  }

  /** Prefix length in bits. */
  length(id: number): number {
    return this.#length[id]!;
  }

  /** One of the words of the address, the first has number 0. */
  word(id: number, word: number): number {
    return this.#address[id * this.#words + word]!;
  }

  /** Bytes of the prefix in a message, its length octet included. */
  encodedLength(id: number): number {
    return 1 + ((this.#length[id]! + 7) >>> 3);
  }

  /** Writes length and address bytes, RFC 4271 §4.3. @returns where the next goes */
  write(id: number, out: Uint8Array, at: number): number {
    const length = this.#length[id]!;
    const bytes = (length + 7) >>> 3;
    out[at] = length;
    const base = id * this.#words;
    for (let i = 0; i < bytes; i++) out[at + 1 + i] = this.#address[base + (i >>> 2)]! >>> (24 - ((i & 3) << 3));
    return at + 1 + bytes;
  }

  /** Canonical text. */
  text(id: number): string {
    const bytes = new Uint8Array(this.#words * 4);
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.word(id, i >>> 2) >>> (24 - ((i & 3) << 3));
    return new Cidr(new Ip(this.family === 'ipv4' ? 4 : 6, bytes), this.#length[id]!).toString();
  }

  #readKey(bytes: Uint8Array, at: number, length: number): void {
    for (let word = 0; word < this.#words; word++) {
      const bits = length - word * 32;
      const from = at + word * 4;
      let value = 0;
      if (bits > 0) value = bytes[from]! << 24;
      if (bits > 8) value |= bytes[from + 1]! << 16;
      if (bits > 16) value |= bytes[from + 2]! << 8;
      if (bits > 24) value |= bytes[from + 3]!;
      this.#key[word] = bits >= 32 ? value : bits <= 0 ? 0 : value & (-1 << (32 - bits));
    }
  }

  #hash(at: number, words: Uint32Array, length: number): number {
    let hash = mixed(words[at]! ^ Math.imul(length, 0x9e3779b1));
    for (let i = 1; i < this.#words; i++) hash = mixed(hash ^ words[at + i]!);
    return hash;
  }

  #same(id: number): boolean {
    const base = id * this.#words;
    for (let i = 0; i < this.#words; i++) if (this.#address[base + i] !== this.#key[i]) return false;
    return true;
  }

  #add(hash: number, length: number): number {
    const id = this.#free.pop() ?? this.#next++;
    if (id >= this.#capacity) {
      this.#capacity *= 2;
      this.#address = widened(this.#address, this.#capacity * this.#words);
      this.#length = widened(this.#length, this.#capacity);
    }
    this.#length[id] = length;
    this.#address.set(this.#key, id * this.#words);
    this.#index.insert(hash, id);
    return id;
  }
}
