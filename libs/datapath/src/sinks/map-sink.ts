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
  /** True when no row of the map can stand for this key: it was never given a number, and asking for its map key would give it one. */
  absent?(key: string): boolean;
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
    const encoded: Encoded[] = [];
    for (const { key, row } of rows) {
      try {
        encoded.push({ key, bytes: [this.#codec.key(key), this.#codec.value(key, row)] });
      } catch (error) {
        failures.set(key, error);
      }
    }
    await eachAlone(encoded, (some) => this.#write(some), failures);
    return failures;
  }

  async delete(keys: readonly string[]): Promise<SinkFailures> {
    const failures = new Map<string, unknown>();
    await eachAlone(this.#removable(keys), (some) => this.#map.delete(some.map(({ bytes }) => bytes[0])), failures);
    for (const key of keys) if (!failures.has(key)) this.#codec.deleted?.(key);
    return failures;
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

  async #write(encoded: readonly Encoded[]): Promise<void> {
    await this.#map.update(
      encoded.map(({ bytes }) => bytes[0]),
      encoded.map(({ bytes }) => bytes[1]),
    );
  }

  #removable(keys: readonly string[]): Encoded[] {
    return keys.flatMap((key) => {
      if (this.#codec.absent?.(key)) return [];
      try {
        return [{ key, bytes: [this.#codec.key(key), NOTHING] }];
      } catch {
        return []; // What cannot stand in the map is not there.
      }
    });
  }
}

/** A row as the map has it. */
interface Encoded {
  readonly key: string;
  readonly bytes: readonly [key: Uint8Array, value: Uint8Array];
}

const NOTHING = new Uint8Array();

/** Does all at once; a batch stops at its first bad row, so then row by row, to find out which ones fail. */
async function eachAlone(
  rows: readonly Encoded[],
  fn: (some: readonly Encoded[]) => Promise<void>,
  failures: Map<string, unknown>,
): Promise<void> {
  try {
    await fn(rows);
  } catch {
    for (const row of rows) await fn([row]).catch((error: unknown) => failures.set(row.key, error));
  }
}
