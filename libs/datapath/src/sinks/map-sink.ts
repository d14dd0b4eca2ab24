import type { FoundEntry, SinkFailures, SinkRow, SinkTarget } from '@isthmus/core';
import type { RowMap } from './row-map.ts';

/** How rows of a table become rows of a map. */
export interface MapCodec<V> {
  /** @throws for a key that cannot stand in the map */
  key(key: string): Uint8Array;
  /** @throws for a row that cannot stand in the map */
  value(key: string, row: V): Uint8Array;
  /** What a row of the map is in the table: its key, and the scope that may prune it. Undefined: not ours to touch. */
  found(key: Uint8Array, value: Uint8Array): FoundEntry | undefined;
  /** Called when the row is gone: numbers can be given back. */
  deleted?(key: string): void;
}

/** Rows that the sink reads at once while it looks for what to prune. */
const FOUND_BATCH = 4096;

/** Makes a BPF map equal to a table. Idempotent; keeps nothing of what is in the map. */
export class MapSink<V> implements SinkTarget<V> {
  readonly #map: RowMap;
  readonly #codec: MapCodec<V>;

  constructor(map: RowMap, codec: MapCodec<V>) {
    this.#map = map;
    this.#codec = codec;
  }

  async update(rows: readonly SinkRow<V>[]): Promise<SinkFailures> {
    const failures = new Map<string, unknown>();
    const encoded: { key: string; bytes: [Uint8Array, Uint8Array] }[] = [];
    for (const { key, row } of rows) {
      try {
        encoded.push({ key, bytes: [this.#codec.key(key), this.#codec.value(key, row)] });
      } catch (error) {
        failures.set(key, error);
      }
    }
    try {
      await this.#write(encoded);
    } catch {
      // A batch stops at its first bad row: find out row by row which ones fail.
      for (const each of encoded) await this.#write([each]).catch((error: unknown) => failures.set(each.key, error));
    }
    return failures;
  }

  async delete(keys: readonly string[]): Promise<SinkFailures> {
    await this.#map.delete(keys.map((key) => this.#codec.key(key)));
    for (const key of keys) this.#codec.deleted?.(key);
    return new Map();
  }

  *entries(): Generator<FoundEntry[]> {
    let batch: FoundEntry[] = [];
    for (const [key, value] of this.#map.entries()) {
      const found = this.#codec.found(key, value);
      if (found) batch.push(found);
      if (batch.length < FOUND_BATCH) continue;
      yield batch;
      batch = [];
    }
    yield batch;
  }

  async #write(encoded: readonly { bytes: [Uint8Array, Uint8Array] }[]): Promise<void> {
    await this.#map.update(
      encoded.map(({ bytes }) => bytes[0]),
      encoded.map(({ bytes }) => bytes[1]),
    );
  }
}
