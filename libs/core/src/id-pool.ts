import type { Clock } from './clock.ts';
import { CodedError, defineError } from './coded-error.ts';

export const ID_POOL_EXHAUSTED = defineError(
  'ID_POOL_EXHAUSTED',
  'No small id is left for a new object.',
  'Remove what is not needed, or raise the limit of the map that the pool is named after.',
);

/** The range of a pool and how long a freed id rests. */
export interface IdPoolOptions {
  name: string;
  min: number;
  max: number;
  /** Milliseconds: longer than the longest connection that may still name the id. */
  graceMs: number;
}

/**
 * Small numbers for objects that the kernel names by number. The same key keeps its id; a released id is given to another key only after the
 * grace. Seed it from the pinned maps before the first {@link idOf}.
 */
export class IdPool {
  readonly #options: IdPoolOptions;
  readonly #clock: Clock;
  readonly #byKey = new Map<string, number>();
  readonly #keyOf = new Map<number, string>();
  readonly #resting = new Map<string, number>();
  #cursor: number;

  constructor(options: IdPoolOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#cursor = options.min;
  }

  /** Ids in use or resting. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Takes over an assignment that the kernel holds. It rests until someone asks for the key, so it is freed if nobody does. */
  seed(key: string, id: number): void {
    if (this.#keyOf.has(id)) return;
    this.#byKey.set(key, id);
    this.#keyOf.set(id, key);
    this.#resting.set(key, this.#clock.now() + this.#options.graceMs);
  }

  /** The id of this key, now in use. @throws CodedError ID_POOL_EXHAUSTED */
  idOf(key: string): number {
    this.#resting.delete(key);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const id = this.#free();
    this.#byKey.set(key, id);
    this.#keyOf.set(id, key);
    return id;
  }

  /** Whether this key has an id, in use or resting. */
  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** The key that holds an id, in use or resting. */
  keyOf(id: number): string | undefined {
    return this.#keyOf.get(id);
  }

  /** Gives an id back; it keeps belonging to its key until the grace has passed and another key needs it. */
  release(key: string): void {
    if (this.#byKey.has(key) && !this.#resting.has(key)) this.#resting.set(key, this.#clock.now() + this.#options.graceMs);
  }

  #free(): number {
    const { min, max, name } = this.#options;
    const span = max - min + 1;
    if (this.#byKey.size >= span) this.#reclaim();
    for (let i = 0; i < span && this.#byKey.size < span; i++) {
      const id = this.#cursor;
      this.#cursor = id === max ? min : id + 1;
      if (!this.#keyOf.has(id)) return id;
    }
    throw new CodedError(ID_POOL_EXHAUSTED, `all ${span} ids of ${name} are in use`, { object: name });
  }

  /** Frees rested ids; until the range is full they stay with their keys, which then come back with the same number. */
  #reclaim(): void {
    const now = this.#clock.now();
    for (const [key, until] of this.#resting) {
      if (until > now) continue;
      this.#keyOf.delete(this.#byKey.get(key) ?? -1);
      this.#byKey.delete(key);
      this.#resting.delete(key);
    }
  }
}
