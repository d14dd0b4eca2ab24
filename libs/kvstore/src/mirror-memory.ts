import { crc32 } from 'node:zlib';
import type { KvEntry, KvEvent } from './kvstore.ts';

/** Deletions after the last put that are remembered one by one; with more than these, listing again is as cheap as asking. */
export const MAX_DELETED_SINCE = 50;

/** Characters from which on a slice of a string is a view into it, and not a copy. */
const SHORTEST_VIEW = 13;
/** Odd, so that no two revisions have the same product; spreads their bits. */
const REVISION_FACTOR = 0x9e3779b1;

/** The last put that a mirror has seen, and what was deleted since: what a store must still tell of when the mirror comes back. */
export interface MirrorTail {
  key: string;
  revision: number;
  /** What the key was at that revision, a number as {@link isPrintOf} makes it. */
  print: number;
  /** Keys; one more than {@link MAX_DELETED_SINCE} when there were more. */
  deletedSince: string[];
}

/**
 * What a mirror remembers of the store: one number per key, never a value. The number mixes the key's revision with a hash of its
 * value, so that a history that was rewritten (a restored store) does not look like the one that was read before.
 */
export class MirrorMemory {
  readonly #prefix: string;
  /** By name: what the prefix leaves of a key. */
  #known = new Map<string, number>();
  #tail: MirrorTail | undefined;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Number of keys. */
  get size(): number {
    return this.#known.size;
  }

  /** Undefined when nothing was ever put under the prefix. */
  get tail(): MirrorTail | undefined {
    return this.#tail;
  }

  /** True when this is the state of the key as it was last seen; `undefined` stands for its absence. */
  matches(key: string, entry: KvEntry | undefined): boolean {
    return this.#known.get(this.#nameOf(key)) === (entry && fingerprint(entry));
  }

  /** True when the events of one response, taken together, say nothing that was not known. */
  agrees(events: readonly KvEvent[]): boolean {
    const last = new Map(events.map((event) => [event.entry.key, event]));
    for (const [key, { type, entry }] of last) if (!this.matches(key, type === 'put' ? entry : undefined)) return false;
    return true;
  }

  /** Takes one event of a watch. Returns the key's name; undefined when it deletes a key that was not there. */
  apply(event: KvEvent): string | undefined {
    const { key, modRevision } = event.entry;
    const name = this.#nameOf(key);
    if (event.type === 'delete') {
      if (this.#tail && this.#tail.deletedSince.length <= MAX_DELETED_SINCE) this.#tail.deletedSince.push(key);
      return this.#known.delete(name) ? name : undefined;
    }
    const print = fingerprint(event.entry);
    this.#tail = { key, revision: modRevision, print, deletedSince: [] };
    this.#known.set(name, print);
    return name;
  }

  /** Begins a listing. Until it is finished the keys not yet met stay known. */
  listing(): MirrorListing {
    const vanished = this.#known;
    const met = new Map<string, number>();
    let tail: MirrorTail | undefined;
    return {
      get size(): number {
        return met.size;
      },
      take: (entries) => {
        const changed: NamedEntry[] = [];
        for (const entry of entries) {
          const [name, now] = [this.#nameOf(entry.key), fingerprint(entry)];
          // The first listing finds nothing known.
          const known = vanished.size === 0 ? undefined : vanished.get(name);
          if (known !== now && met.get(name) !== now) changed.push({ name, entry });
          if (known !== undefined) vanished.delete(name);
          met.set(name, now);
          if (!tail || entry.modRevision > tail.revision) tail = tailAt(entry, now);
        }
        return changed;
      },
      finish: () => {
        this.#known = met;
        this.#tail = tail;
        return [...vanished.keys()];
      },
      abandon: () => {
        for (const [name, value] of met) vanished.set(name, value);
      },
    };
  }

  /** A text of its own. A longer slice would be a view, and keep the whole key for as long as somebody keeps the name. */
  #nameOf(key: string): string {
    const name = key.slice(this.#prefix.length);
    return name.length < SHORTEST_VIEW ? name : Buffer.from(name).toString();
  }
}

/** A key under its name. */
export interface NamedEntry {
  readonly name: string;
  readonly entry: KvEntry;
}

/** One listing in progress. Exactly one of `finish` and `abandon` ends it. */
export interface MirrorListing {
  /** Keys met so far. */
  readonly size: number;
  /** Takes some entries; returns those that are new or changed. */
  take(entries: readonly KvEntry[]): NamedEntry[];
  /** Ends a complete listing; returns the names of the keys that were known before and are gone. */
  finish(): string[];
  /** Ends an incomplete one: what it showed is known, what it did not reach stays known. */
  abandon(): void;
}

function tailAt({ key, modRevision }: KvEntry, print: number): MirrorTail {
  return { key, revision: modRevision, print, deletedSince: [] };
}

/** True when this entry is what the number was made of. */
export function isPrintOf(print: number, entry: KvEntry | undefined): boolean {
  return entry !== undefined && fingerprint(entry) === print;
}

/**
 * Revision and a checksum of the value in 32 bits, which the engine keeps without a box around them. Of two states of a key one in four
 * billion pairs look alike.
 */
function fingerprint({ value, modRevision }: KvEntry): number {
  return crc32(value) ^ Math.imul(modRevision, REVISION_FACTOR);
}
