import { AttributeSummary, type SpeakerIdentity } from './attribute-summary.ts';
import { ByteArena } from './byte-arena.ts';
import { IdIndex, mixed } from './id-index.ts';
import { Records } from './records.ts';

/**
 * Distinct attribute sets (attribute block and next hop) as small numbers from 1 on, counted by reference. What best path selection asks is read
 * once per set into columns.
 */
export class AttributeStore {
  readonly #arena = new ByteArena();
  readonly #summary: AttributeSummary;
  readonly #index = new IdIndex((id) => this.#hash.get(id));
  readonly #onUnused = new Set<(set: number) => void>();
  #next = 1;
  #size = 0;
  /** Numbers of dropped sets are chained through their addresses. */
  #freed = 0;
  readonly #records = new Records(14);
  readonly #hash = this.#records.field();
  readonly #refs = this.#records.field();
  /** Of the references, those of {@link lend}. */
  readonly #lent = this.#records.field();
  readonly #address = this.#records.field();
  readonly #length = this.#records.field();
  readonly #nextHopLength = this.#records.field();
  /** By set number; see {@link AttributeSummary}. */
  readonly localPref = this.#records.field();
  readonly pathLength = this.#records.field();
  readonly origin = this.#records.field();
  readonly med = this.#records.field();
  readonly neighbourAs = this.#records.field();
  readonly originator = this.#records.field();
  readonly clusterLength = this.#records.field();
  readonly flags = this.#records.field();

  constructor(self: SpeakerIdentity) {
    this.#summary = new AttributeSummary(self);
  }

  /** Sets in the store. */
  get size(): number {
    return this.#size;
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
        if (this.#hash.get(id) === hash && this.#same(id, block, nextHop)) {
          this.retain(id);
          return id;
        }
      }
    }
    return this.#add(hash, block, nextHop);
  }

  retain(set: number): void {
    this.#refs.set(set, this.#refs.get(set) + 1);
  }

  release(set: number): void {
    const left = this.#refs.get(set) - 1;
    this.#refs.set(set, left);
    if (left !== this.#lent.get(set)) return;
    this.#tellUnused(set);
    if (left === 0) this.#drop(set);
  }

  /**
   * Makes a reference of the caller's one of a cache: it keeps the set, but not what caches know of the set. Otherwise two sets that policies
   * turn into each other would keep each other for ever.
   */
  lend(set: number): void {
    this.#lent.set(set, this.#lent.get(set) + 1);
  }

  /** Takes back a reference of {@link lend}. */
  unlend(set: number): void {
    this.#lent.set(set, this.#lent.get(set) - 1);
    const left = this.#refs.get(set) - 1;
    this.#refs.set(set, left);
    if (left !== 0) return;
    this.#tellUnused(set);
    this.#drop(set);
  }

  #tellUnused(set: number): void {
    for (const listener of this.#onUnused) listener(set);
  }

  #drop(set: number): void {
    this.#index.remove(this.#hash.get(set), set);
    this.#arena.give(this.#address.u32(set), this.#length.get(set) + this.#nextHopLength.get(set));
    this.#address.set(set, this.#freed);
    this.#freed = set;
    this.#size--;
  }

  /** The attribute block: a view, valid while the caller holds a reference. */
  block(set: number): Uint8Array {
    const address = this.#address.u32(set);
    const from = this.#arena.offset(address) + this.#nextHopLength.get(set);
    return this.#arena.block(address).subarray(from, from + this.#length.get(set));
  }

  /** The next hop: a view of 0 (the speaker itself), 4, 16 or 32 bytes. */
  nextHop(set: number): Uint8Array {
    const address = this.#address.u32(set);
    const from = this.#arena.offset(address);
    return this.#arena.block(address).subarray(from, from + this.#nextHopLength.get(set));
  }

  #same(id: number, block: Uint8Array, nextHop: Uint8Array): boolean {
    if (this.#length.get(id) !== block.length || this.#nextHopLength.get(id) !== nextHop.length) return false;
    const bytes = this.#arena.block(this.#address.u32(id));
    let at = this.#arena.offset(this.#address.u32(id));
    for (let i = 0; i < nextHop.length; i++) if (bytes[at++] !== nextHop[i]) return false;
    for (let i = 0; i < block.length; i++) if (bytes[at++] !== block[i]) return false;
    return true;
  }

  #add(hash: number, block: Uint8Array, nextHop: Uint8Array): number {
    const freed = this.#freed;
    const id = freed === 0 ? this.#next++ : freed;
    if (freed !== 0) this.#freed = this.#address.get(freed);
    this.#records.reach(id);
    this.#size++;
    const address = this.#arena.take(block.length + nextHop.length);
    const bytes = this.#arena.block(address);
    const from = this.#arena.offset(address);
    bytes.set(nextHop, from);
    bytes.set(block, from + nextHop.length);
    this.#hash.set(id, hash);
    this.#refs.set(id, 1);
    this.#address.set(id, address);
    this.#length.set(id, block.length);
    this.#nextHopLength.set(id, nextHop.length);
    this.#summarize(id, block);
    this.#index.insert(hash, id);
    return id;
  }

  #summarize(id: number, block: Uint8Array): void {
    const summary = this.#summary;
    summary.read(block);
    this.localPref.set(id, summary.localPref);
    this.pathLength.set(id, summary.pathLength);
    this.origin.set(id, summary.origin);
    this.med.set(id, summary.med);
    this.neighbourAs.set(id, summary.neighbourAs);
    this.originator.set(id, summary.originator);
    this.clusterLength.set(id, summary.clusterLength);
    this.flags.set(id, summary.flags);
  }
}

/** FNV-1a over bytes with a final mix: attribute blocks differ in few places, often the last. */
function hashOf(bytes: Uint8Array, seed: number): number {
  let hash = seed ^ 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return mixed(hash);
}
