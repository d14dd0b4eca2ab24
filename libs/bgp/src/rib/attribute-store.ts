import { AttributeSummary, type SpeakerIdentity } from './attribute-summary.ts';
import { ByteArena } from './byte-arena.ts';
import { widened } from './column.ts';
import { IdIndex, mixed } from './id-index.ts';

const FIRST_CAPACITY = 256;

/**
 * Distinct attribute sets (attribute block and next hop) as small numbers from 1 on, counted by reference. What best path selection asks is read
 * once per set into columns.
 */
export class AttributeStore {
  readonly #arena = new ByteArena();
  readonly #summary: AttributeSummary;
  readonly #index = new IdIndex((id) => this.#hash[id]!);
  readonly #free: number[] = [];
  readonly #onUnused = new Set<(set: number) => void>();
  #capacity = FIRST_CAPACITY;
  #next = 1;
  #hash = new Int32Array(FIRST_CAPACITY);
  #refs = new Uint32Array(FIRST_CAPACITY);
  /** Of the references, those of {@link lend}. */
  #lent = new Uint32Array(FIRST_CAPACITY);
  #address = new Uint32Array(FIRST_CAPACITY);
  #length = new Uint16Array(FIRST_CAPACITY);
  #nextHopLength = new Uint8Array(FIRST_CAPACITY);
  /** Columns by set number; see {@link AttributeSummary}. Replaced when they grow: do not keep. */
  localPref = new Uint32Array(FIRST_CAPACITY);
  pathLength = new Uint16Array(FIRST_CAPACITY);
  origin = new Uint8Array(FIRST_CAPACITY);
  med = new Uint32Array(FIRST_CAPACITY);
  neighbourAs = new Uint32Array(FIRST_CAPACITY);
  originator = new Uint32Array(FIRST_CAPACITY);
  clusterLength = new Uint8Array(FIRST_CAPACITY);
  flags = new Uint8Array(FIRST_CAPACITY);

  constructor(self: SpeakerIdentity) {
    this.#summary = new AttributeSummary(self);
  }

  /** Sets in the store. */
  get size(): number {
    return this.#next - 1 - this.#free.length;
  }

  /** All numbers given out are below. */
  get end(): number {
    return this.#next;
  }

  /** Called when nobody but caches refers to a set any more, while its bytes are still there: what is known of it is to be forgotten. Returns what ends that. */
  onUnused(listener: (set: number) => void): () => void {
    this.#onUnused.add(listener);
    return () => this.#onUnused.delete(listener);
  }

  /** The number of a set; the caller gets a reference to it. Copies the bytes of a new one. */
  intern(block: Uint8Array, nextHop: Uint8Array): number {
    const hash = hashOf(nextHop, hashOf(block, block.length));
    const slots = this.#index.slots(hash);
    if (slots !== undefined) {
      const mask = slots.length - 1;
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        const id = slots[slot]!;
        if (id === 0) break;
        if (this.#hash[id] === hash && this.#same(id, block, nextHop)) {
          this.#refs[id]!++;
          return id;
        }
      }
    }
    return this.#add(hash, block, nextHop);
  }

  retain(set: number): void {
    this.#refs[set]!++;
  }

  release(set: number): void {
    const left = --this.#refs[set]!;
    if (left !== this.#lent[set]) return;
    this.#tellUnused(set);
    if (left === 0) this.#drop(set);
  }

  /**
   * Makes a reference of the caller's one of a cache: it keeps the set, but not what caches know of the set. Otherwise two sets that policies
   * turn into each other would keep each other for ever.
   */
  lend(set: number): void {
    this.#lent[set]!++;
  }

  /** Takes back a reference of {@link lend}. */
  unlend(set: number): void {
    this.#lent[set]!--;
    if (--this.#refs[set]! !== 0) return;
    this.#tellUnused(set);
    this.#drop(set);
  }

  #tellUnused(set: number): void {
    for (const listener of this.#onUnused) listener(set);
  }

  #drop(set: number): void {
    this.#index.remove(this.#hash[set]!, set);
    this.#arena.give(this.#address[set]!, this.#length[set]! + this.#nextHopLength[set]!);
    this.#free.push(set);
  }

  /** The attribute block: a view, valid while the caller holds a reference. */
  block(set: number): Uint8Array {
    const address = this.#address[set]!;
    const from = this.#arena.offset(address) + this.#nextHopLength[set]!;
    return this.#arena.block(address).subarray(from, from + this.#length[set]!);
  }

  /** The next hop: a view of 0 (the speaker itself), 4, 16 or 32 bytes. */
  nextHop(set: number): Uint8Array {
    const address = this.#address[set]!;
    const from = this.#arena.offset(address);
    return this.#arena.block(address).subarray(from, from + this.#nextHopLength[set]!);
  }

  #same(id: number, block: Uint8Array, nextHop: Uint8Array): boolean {
    if (this.#length[id] !== block.length || this.#nextHopLength[id] !== nextHop.length) return false;
    const bytes = this.#arena.block(this.#address[id]!);
    let at = this.#arena.offset(this.#address[id]!);
    for (let i = 0; i < nextHop.length; i++) if (bytes[at++] !== nextHop[i]) return false;
    for (let i = 0; i < block.length; i++) if (bytes[at++] !== block[i]) return false;
    return true;
  }

  #add(hash: number, block: Uint8Array, nextHop: Uint8Array): number {
    const id = this.#free.pop() ?? this.#next++;
    if (id >= this.#capacity) this.#grow();
    const address = this.#arena.take(block.length + nextHop.length);
    const bytes = this.#arena.block(address);
    const from = this.#arena.offset(address);
    bytes.set(nextHop, from);
    bytes.set(block, from + nextHop.length);
    this.#hash[id] = hash;
    this.#refs[id] = 1;
    this.#address[id] = address;
    this.#length[id] = block.length;
    this.#nextHopLength[id] = nextHop.length;
    this.#summarize(id, block);
    this.#index.insert(hash, id);
    return id;
  }

  #summarize(id: number, block: Uint8Array): void {
    const summary = this.#summary;
    summary.read(block);
    this.localPref[id] = summary.localPref;
    this.pathLength[id] = summary.pathLength;
    this.origin[id] = summary.origin;
    this.med[id] = summary.med;
    this.neighbourAs[id] = summary.neighbourAs;
    this.originator[id] = summary.originator;
    this.clusterLength[id] = summary.clusterLength;
    this.flags[id] = summary.flags;
  }

  #grow(): void {
    const capacity = this.#capacity * 2;
    this.#capacity = capacity;
    this.#hash = widened(this.#hash, capacity);
    this.#refs = widened(this.#refs, capacity);
    this.#lent = widened(this.#lent, capacity);
    this.#address = widened(this.#address, capacity);
    this.#length = widened(this.#length, capacity);
    this.#nextHopLength = widened(this.#nextHopLength, capacity);
    this.localPref = widened(this.localPref, capacity);
    this.pathLength = widened(this.pathLength, capacity);
    this.origin = widened(this.origin, capacity);
    this.med = widened(this.med, capacity);
    this.neighbourAs = widened(this.neighbourAs, capacity);
    this.originator = widened(this.originator, capacity);
    this.clusterLength = widened(this.clusterLength, capacity);
    this.flags = widened(this.flags, capacity);
  }
}

/** FNV-1a over bytes with a final mix: attribute blocks differ in few places, often the last. */
function hashOf(bytes: Uint8Array, seed: number): number {
  let hash = seed ^ 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return mixed(hash);
}
