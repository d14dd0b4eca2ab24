/** A row on its way out. */
export interface SinkRow<V> {
  readonly key: string;
  readonly row: V;
}

/** What failed of a batch, by key. Empty (or undefined) when all went well. */
export type SinkFailures = ReadonlyMap<string, unknown>;

/** Something found outside: its key, as the table would name it, and the scope it belongs to. */
export interface FoundEntry {
  readonly key: string;
  readonly scope: string;
}

/**
 * The outside thing that a sink makes equal to a table. May be slow, may fail; need not remember anything.
 * A throw means that every row of the call failed.
 */
export interface SinkTarget<V> {
  /** Makes the outside say what the rows say. Idempotent: what is so already is fine. */
  update(rows: readonly SinkRow<V>[]): SinkFailures | undefined | Promise<SinkFailures | undefined>;
  /** Removes. What is absent already is fine. */
  delete(keys: readonly string[]): SinkFailures | undefined | Promise<SinkFailures | undefined>;
  /** What is there, in batches, for pruning. Absent: there is nothing to prune. */
  entries?(): Iterable<readonly FoundEntry[]> | AsyncIterable<readonly FoundEntry[]>;
}
