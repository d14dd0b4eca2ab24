/** A BPF map as sinks need it: rows of bytes in the layouts of `bpf/lib/maps.h`. {@link BpfMap} is one. */
export interface RowMap {
  readonly name: string;
  /** Writes rows; what is there is overwritten. Stops at the first that fails. */
  update(keys: readonly Uint8Array[], values: readonly Uint8Array[]): Promise<void>;
  /** Removes rows; absent ones are fine. */
  delete(keys: readonly Uint8Array[]): Promise<void>;
  entries(): Iterable<readonly [key: Uint8Array, value: Uint8Array]>;
}
