import type { RowMap } from './row-map.ts';

/** A map in memory with a size limit, as the kernel's: for tests of sinks. */
export class MemoryRowMap implements RowMap {
  readonly name: string;
  readonly rows = new Map<string, [Uint8Array, Uint8Array]>();
  readonly #limit: number;

  constructor(name: string, limit = Number.POSITIVE_INFINITY) {
    this.name = name;
    this.#limit = limit;
  }

  async update(keys: readonly Uint8Array[], values: readonly Uint8Array[]): Promise<void> {
    keys.forEach((key, i) => {
      const text = hex(key);
      if (!this.rows.has(text) && this.rows.size >= this.#limit)
        throw new Error(`map ${this.name} is full: it holds ${this.#limit} entries`);
      this.rows.set(text, [key, values[i] as Uint8Array]);
    });
  }

  async delete(keys: readonly Uint8Array[]): Promise<void> {
    for (const key of keys) this.rows.delete(hex(key));
  }

  entries(): Iterable<readonly [Uint8Array, Uint8Array]> {
    return [...this.rows.values()];
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
