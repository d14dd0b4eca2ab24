/** From here on one Map would take a turn of its own to grow: V8 copies all of it, 30 ms for half a million keys. */
const SPLIT_AT = 32_768;
/** A power of two. At a million keys each part is as large as one that is not split yet. */
const PARTS = 32;
/** Characters at the end of a key that choose its part: keys of a table begin alike. */
const LAST = 4;

/** A map by texts that never takes long to grow: large ones are in several parts. In no particular order. */
export class KeyMap<V> {
  #parts: readonly Map<string, V>[] = [new Map()];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    return this.#part(key).get(key);
  }

  set(key: string, value: V): void {
    const part = this.#part(key);
    const before = part.size;
    part.set(key, value);
    this.#size += part.size - before;
    if (this.#size > SPLIT_AT && this.#parts.length === 1) this.#split(part);
  }

  delete(key: string): boolean {
    const deleted = this.#part(key).delete(key);
    if (deleted) this.#size--;
    return deleted;
  }

  *keys(): IterableIterator<string> {
    for (const part of this.#parts) yield* part.keys();
  }

  #part(key: string): Map<string, V> {
    return this.#parts[this.#parts.length === 1 ? 0 : partOf(key)] as Map<string, V>;
  }

  #split(whole: ReadonlyMap<string, V>): void {
    const parts = Array.from({ length: PARTS }, () => new Map<string, V>());
    for (const [key, value] of whole) (parts[partOf(key)] as Map<string, V>).set(key, value);
    this.#parts = parts;
  }
}

function partOf(key: string): number {
  let hash = key.length;
  for (let at = Math.max(0, key.length - LAST); at < key.length; at++) hash = Math.imul(hash, 31) + key.charCodeAt(at);
  return (hash ^ (hash >>> 5)) & (PARTS - 1);
}
