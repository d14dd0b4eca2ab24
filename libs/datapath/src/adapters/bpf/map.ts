import { CodedError } from '@isthmus/core';
import { libcCalls } from '../libc.ts';
import { BPF_MAP, BPF_MAP_FULL, SystemCallError } from './bpf-error.ts';
import { libbpf } from './libbpf.ts';
import { type MapInfo, mapInfo, PER_CPU_TYPES } from './map-info.ts';
import { openPin } from './syscall.ts';

/** Rows per system call: more would keep the event loop for longer than 5 ms. */
export const BATCH_ROWS = 1024;

const ENOENT = 2;
const E2BIG = 7;
const ENOSPC = 28;
/** Some kinds use the key as cursor, others a number: room for both. */
const CURSOR_MIN_BYTES = 8;

/** Rows as bytes; encoders are in the generated layouts. */
export type MapEntry = readonly [key: Uint8Array, value: Uint8Array];

/** A map in the kernel. Keys and values are bytes in the layout of `bpf/lib/maps.h`. */
export class BpfMap {
  readonly fd: number;
  readonly name: string;
  readonly info: MapInfo;
  /** Bytes of a value as it is read: one value per possible CPU, each rounded up to 8 bytes, where the map is per CPU. */
  readonly valueBytes: number;

  constructor(fd: number, name: string) {
    this.fd = fd;
    this.name = name;
    this.info = mapInfo(fd);
    this.valueBytes = PER_CPU_TYPES.has(this.info.type) ? align8(this.info.valueSize) * libbpf().possibleCpus() : this.info.valueSize;
  }

  /** Opens a pinned map; the caller {@link close}s it. @throws CodedError BPF_MAP when there is none */
  static open(path: string, name: string): BpfMap {
    try {
      return new BpfMap(openPin(path), name);
    } catch (cause) {
      throw new CodedError(BPF_MAP, `cannot open map ${name} at ${path}`, { object: name, cause });
    }
  }

  /** Writes one row. @throws CodedError BPF_MAP_FULL, BPF_MAP */
  set(key: Uint8Array, value: Uint8Array): void {
    this.#check([key], this.info.keySize);
    this.#check([value], this.valueBytes);
    const code = libbpf().update(this.fd, key, value, 0);
    if (code < 0) throw this.#failed('update', code);
  }

  /** Removes one row. @returns whether it was there. @throws CodedError BPF_MAP */
  unset(key: Uint8Array): boolean {
    this.#check([key], this.info.keySize);
    const code = libbpf().remove(this.fd, key);
    if (code === 0) return true;
    if (code === -ENOENT) return false;
    throw this.#failed('delete', code);
  }

  /** Reads one row, or undefined. @throws CodedError BPF_MAP */
  lookup(key: Uint8Array): Uint8Array | undefined {
    this.#check([key], this.info.keySize);
    const value = new Uint8Array(this.valueBytes);
    const code = libbpf().lookup(this.fd, key, value);
    if (code === 0) return value;
    if (code === -ENOENT) return undefined;
    throw this.#failed('lookup', code);
  }

  /**
   * Writes rows in batches, letting the event loop run in between. Rows before a failing one are written; calling again is fine.
   * @throws CodedError BPF_MAP_FULL, BPF_MAP
   */
  async update(keys: readonly Uint8Array[], values: readonly Uint8Array[]): Promise<void> {
    if (keys.length !== values.length) throw new RangeError(`map ${this.name}: ${keys.length} keys, ${values.length} values`);
    for (let from = 0; from < keys.length; from += BATCH_ROWS) {
      if (from > 0) await turn();
      this.updateBatch(keys.slice(from, from + BATCH_ROWS), values.slice(from, from + BATCH_ROWS));
    }
  }

  /** Removes rows in batches, letting the event loop run in between. Absent ones are fine. @throws CodedError BPF_MAP */
  async delete(keys: readonly Uint8Array[]): Promise<void> {
    for (let from = 0; from < keys.length; from += BATCH_ROWS) {
      if (from > 0) await turn();
      this.#deleteBatch(keys.slice(from, from + BATCH_ROWS));
    }
  }

  /**
   * All rows, read in batches. Rows that change meanwhile may be missed or seen twice, as the kernel has it.
   * @throws CodedError BPF_MAP
   */
  *entries(): Generator<MapEntry> {
    let cursor: Uint8Array | null = null;
    let rows = BATCH_ROWS;
    for (;;) {
      const next = new Uint8Array(Math.max(this.info.keySize, CURSOR_MIN_BYTES));
      const batch = this.#lookupBatch(cursor, next, rows);
      if (batch.code === -ENOSPC) {
        // A bucket that holds more rows than were asked for.
        rows *= 2;
        continue;
      }
      yield* batch.entries;
      if (batch.code === -ENOENT) return;
      cursor = next;
    }
  }

  /** Closes the descriptor. Only for maps that were {@link open}ed: those of an object close with it. */
  close(): void {
    libcCalls.close(this.fd);
  }

  /** Writes at most {@link BATCH_ROWS} rows at once. Rows before a failing one are written. @throws CodedError BPF_MAP_FULL, BPF_MAP */
  updateBatch(keys: readonly Uint8Array[], values: readonly Uint8Array[]): void {
    const count = Uint32Array.of(keys.length);
    const packedKeys = this.#pack(keys, this.info.keySize);
    const packedValues = this.#pack(values, this.valueBytes);
    const code = libbpf().updateBatch(this.fd, packedKeys, packedValues, bytesOf(count), null);
    if (code < 0) throw this.#failed('update', code);
  }

  #deleteBatch(keys: readonly Uint8Array[]): void {
    for (let rest = keys; rest.length > 0; ) {
      const count = Uint32Array.of(rest.length);
      const code = libbpf().removeBatch(this.fd, this.#pack(rest, this.info.keySize), bytesOf(count), null);
      if (code === 0) return;
      if (code !== -ENOENT) throw this.#failed('delete', code);
      // The kernel stops at the first absent one and says how many it removed before.
      rest = rest.slice((count[0] ?? 0) + 1);
    }
  }

  #lookupBatch(cursor: Uint8Array | null, next: Uint8Array, rows: number): { code: number; entries: MapEntry[] } {
    const { keySize } = this.info;
    const keys = new Uint8Array(rows * keySize);
    const values = new Uint8Array(rows * this.valueBytes);
    const count = Uint32Array.of(rows);
    const code = libbpf().lookupBatch(this.fd, cursor, next, keys, values, bytesOf(count), null);
    if (code === -ENOSPC) return { code, entries: [] };
    if (code < 0 && code !== -ENOENT) throw this.#failed('lookup', code);
    const row = (bytes: Uint8Array, size: number, index: number): Uint8Array => bytes.slice(index * size, (index + 1) * size);
    const entries = Array.from({ length: count[0] ?? 0 }, (_, i): MapEntry => [row(keys, keySize, i), row(values, this.valueBytes, i)]);
    return { code, entries };
  }

  #pack(items: readonly Uint8Array[], size: number): Uint8Array {
    this.#check(items, size);
    const packed = new Uint8Array(items.length * size);
    items.forEach((item, index) => {
      packed.set(item, index * size);
    });
    return packed;
  }

  /** The kernel reads as many bytes as the map's layout says, so a shorter buffer would let it read beyond. */
  #check(items: readonly Uint8Array[], size: number): void {
    for (const item of items) {
      if (item.length !== size) throw new RangeError(`map ${this.name}: ${item.length} bytes given, ${size} wanted`);
    }
  }

  #failed(operation: string, code: number): CodedError {
    const cause = new SystemCallError(`${operation} of map ${this.name}`, code);
    const full = code === -E2BIG || code === -ENOSPC;
    if (!full) return new CodedError(BPF_MAP, cause.message, { object: this.name, cause });
    return new CodedError(BPF_MAP_FULL, `map ${this.name} is full: it holds ${this.info.maxEntries} entries`, { object: this.name, cause });
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer);
}

function align8(size: number): number {
  return (size + 7) & ~7;
}
