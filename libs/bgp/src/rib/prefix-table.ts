import { Cidr, Ip } from '@isthmus/net';
import type { RoutedFamily } from '../family/routed-family.ts';
import { IdIndex, mixed } from './id-index.ts';
import { type Field, Records } from './records.ts';

/** Fields of a record besides the address. */
const FIELDS = 3;
/** An odd number with its bits all over. */
const SPREAD = 0x9e3779b1;
/** Stands for the length of a prefix that was released. */
const RELEASED = 255;

/** The prefixes of one family as small numbers from 1 on. Numbers of released prefixes are given out again. */
export class PrefixTable {
  readonly family: RoutedFamily;
  /** 32-bit words of an address: 1 or 4. */
  readonly #words: number;
  readonly #records: Records;
  readonly #address: readonly Field[];
  readonly #length: Field;
  /** By prefix number, for whoever keeps paths: the first of them, and the best; 0 when there is none. */
  readonly head: Field;
  readonly best: Field;
  #next = 1;
  /** Released numbers are chained through their first word. */
  #freed = 0;
  #size = 0;
  readonly #index = new IdIndex((id) => this.#hashOf(id));
  /** The prefix that is looked for, in words. */
  readonly #key: Int32Array;

  constructor(family: RoutedFamily) {
    this.family = family;
    this.#words = family === 'ipv4' ? 1 : 4;
    this.#records = new Records(this.#words + FIELDS);
    this.#address = Array.from({ length: this.#words }, () => this.#records.field());
    this.#length = this.#records.field();
    this.head = this.#records.field();
    this.best = this.#records.field();
    this.#key = new Int32Array(this.#words);
  }

  /** All numbers given out are below. */
  get end(): number {
    return this.#next;
  }

  /** Prefixes in the table. */
  get size(): number {
    return this.#size;
  }

  /** The number of the prefix whose length octet is at `at`; bits behind its length do not count. Makes one if `add`; 0 when there is none. */
  find(bytes: Uint8Array, at: number, add: boolean): number {
    const length = bytes[at]!;
    this.#readKey(bytes, at + 1, length);
    const hash = this.#keyHash(length);
    const slots = this.#index.slots(hash);
    if (slots !== undefined) {
      const mask = slots.length - 1;
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        const id = slots[slot]!;
        if (id === 0) break;
        if (this.#length.get(id) === length && this.#same(id)) return id;
      }
    }
    return add ? this.#add(hash, length) : 0;
  }

  /** Forgets a prefix that nothing refers to. */
  release(id: number): void {
    this.#index.remove(this.#hashOf(id), id);
    this.#length.set(id, RELEASED);
    this.#address[0]!.set(id, this.#freed);
    this.#freed = id;
    this.#size--;
  }

  /** Whether a number has a prefix now. */
  isUsed(id: number): boolean {
    return this.#length.get(id) !== RELEASED;
  }

  /** Prefix length in bits. */
  length(id: number): number {
    return this.#length.get(id);
  }

  /** One of the words of the address, the first has number 0. */
  word(id: number, word: number): number {
    return this.#address[word]!.u32(id);
  }

  /** Bytes of the prefix in a message, its length octet included. */
  encodedLength(id: number): number {
    return 1 + ((this.length(id) + 7) >>> 3);
  }

  /** Writes length and address bytes, RFC 4271 §4.3. @returns where the next goes */
  write(id: number, out: Uint8Array, at: number): number {
    const length = this.length(id);
    const bytes = (length + 7) >>> 3;
    out[at] = length;
    for (let i = 0; i < bytes; i++) out[at + 1 + i] = this.word(id, i >>> 2) >>> (24 - ((i & 3) << 3));
    return at + 1 + bytes;
  }

  /** Canonical text. */
  text(id: number): string {
    const bytes = new Uint8Array(this.#words * 4);
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.word(id, i >>> 2) >>> (24 - ((i & 3) << 3));
    return new Cidr(new Ip(this.family === 'ipv4' ? 4 : 6, bytes), this.length(id)).toString();
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

  #hashOf(id: number): number {
    let hash = mixed(this.word(id, 0) ^ Math.imul(this.length(id), SPREAD));
    for (let i = 1; i < this.#words; i++) hash = mixed(hash ^ this.word(id, i));
    return hash;
  }

  #keyHash(length: number): number {
    let hash = mixed(this.#key[0]! ^ Math.imul(length, SPREAD));
    for (let i = 1; i < this.#words; i++) hash = mixed(hash ^ this.#key[i]!);
    return hash;
  }

  #same(id: number): boolean {
    for (let i = 0; i < this.#words; i++) if (this.#address[i]!.get(id) !== this.#key[i]) return false;
    return true;
  }

  #add(hash: number, length: number): number {
    const freed = this.#freed;
    const id = freed === 0 ? this.#next++ : freed;
    if (freed !== 0) this.#freed = this.#address[0]!.get(freed);
    this.#records.reach(id);
    this.#length.set(id, length);
    for (let i = 0; i < this.#words; i++) this.#address[i]!.set(id, this.#key[i]!);
    this.#index.insert(hash, id);
    this.#size++;
    return id;
  }
}
