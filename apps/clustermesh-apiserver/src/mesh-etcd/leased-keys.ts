import type { Sink, TableWriter } from '@isthmus/core';

/** Keys that live on the lease, by their full names, with the sink that writes them. */
export interface LeasedKeys {
  readonly writer: TableWriter<string>;
  readonly sink: Sink<string>;
}
