import { CodedError } from '@isthmus/core';
import koffi from 'koffi';
import { errno } from '../libc.ts';
import { BPF_RING, SystemCallError } from './bpf-error.ts';
import type { BpfMap } from './map.ts';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const BUSY = 0x8000_0000 | 0;
const DISCARDED = 0x4000_0000;
const HEADER_BYTES = 8;
/** Records per turn of the event loop. */
const TURN_RECORDS = 4096;

type Mmap = (address: null, length: number, protection: number, flags: number, fd: number, offset: number) => bigint;

const libc = koffi.load('libc.so.6');
const mmap = libc.func('void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)') as Mmap;
const munmap = libc.func('int munmap(void *address, size_t length)') as (address: bigint, length: number) => number;
const pageSize = libc.func('int getpagesize()') as () => number;

/** Gets one record. The view is over memory that the kernel will use again: take what is needed before returning. */
export type RecordHandler = (record: DataView) => void;

/** Where a handler's own failure goes: the ring goes on with the next record. */
export type RecordErrorHandler = (error: unknown) => void;

/**
 * Reads a ring of records that the kernel writes, out of shared memory, without a system call per record. One reader per ring: two
 * would take each other's records.
 */
export class RingBuffer {
  readonly #fd: number;
  readonly #size: number;
  readonly #page = pageSize();
  readonly #consumer: bigint;
  readonly #producer: bigint;
  readonly #consumed: BigUint64Array;
  readonly #produced: BigUint64Array;
  readonly #headers: Int32Array;
  readonly #data: ArrayBuffer;
  #poll: ReturnType<typeof koffi.node.poll> | undefined;
  #closed = false;

  /** @throws CodedError BPF_RING */
  constructor(map: BpfMap) {
    this.#fd = map.fd;
    this.#size = map.info.maxEntries;
    this.#consumer = this.#map(this.#page, PROT_READ | PROT_WRITE, 0, map.name);
    // The kernel maps the data twice in a row, so a record that wraps can be read in one piece.
    this.#producer = this.#map(this.#page + 2 * this.#size, PROT_READ, this.#page, map.name);
    this.#consumed = new BigUint64Array(koffi.view(this.#consumer, 8));
    this.#data = koffi.view(this.#producer, this.#page + 2 * this.#size);
    this.#produced = new BigUint64Array(this.#data, 0, 1);
    this.#headers = new Int32Array(this.#data, this.#page);
  }

  /**
   * Takes the records that are there, at most `limit`.
   * @returns how many
   */
  drain(onRecord: RecordHandler, limit = Number.MAX_SAFE_INTEGER): number {
    let taken = 0;
    let position = Number(Atomics.load(this.#consumed, 0));
    while (taken < limit && position < Number(Atomics.load(this.#produced, 0))) {
      const offset = position & (this.#size - 1);
      const header = Atomics.load(this.#headers, offset >> 2);
      if (header & BUSY) break; // the kernel is still writing it, and will wake us
      const length = header & ~DISCARDED;
      position += (HEADER_BYTES + length + 7) & ~7;
      if (!(header & DISCARDED)) {
        taken++;
        this.#hand(onRecord, offset, length, position);
      } else Atomics.store(this.#consumed, 0, BigInt(position));
    }
    return taken;
  }

  /**
   * Hands over records as they come, in turns that leave room for the rest of the process, until {@link close}. Keeps the process
   * alive only if `keepAlive`.
   */
  start(onRecord: RecordHandler, onError: RecordErrorHandler, keepAlive = true): void {
    const turn = (): void => {
      if (this.#closed) return;
      if (this.#drainSafely(onRecord, onError) >= TURN_RECORDS) setImmediate(turn);
    };
    this.#poll = koffi.node.poll(this.#fd, { readable: true }, turn);
    if (!keepAlive) this.#poll.unref();
    turn();
  }

  /** Stops reading and gives the memory back. Records not yet taken stay in the ring for the next reader. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#poll?.stop();
    this.#poll?.close();
    munmap(this.#consumer, this.#page);
    munmap(this.#producer, this.#page + 2 * this.#size);
  }

  #drainSafely(onRecord: RecordHandler, onError: RecordErrorHandler): number {
    let taken = 0;
    while (taken < TURN_RECORDS && !this.#closed) {
      try {
        return taken + this.drain(onRecord, TURN_RECORDS - taken);
      } catch (error) {
        taken++;
        onError(error);
      }
    }
    return taken;
  }

  /** The record counts as taken even when its handler throws: it would throw again. */
  #hand(onRecord: RecordHandler, offset: number, length: number, next: number): void {
    try {
      onRecord(new DataView(this.#data, this.#page + offset + HEADER_BYTES, length));
    } finally {
      if (!this.#closed) Atomics.store(this.#consumed, 0, BigInt(next));
    }
  }

  #map(length: number, protection: number, offset: number, name: string): bigint {
    const address = mmap(null, length, protection, MAP_SHARED, this.#fd, offset);
    if (BigInt.asIntN(64, address) !== -1n) return address;
    throw new CodedError(BPF_RING, `cannot map ring ${name}`, { object: name, cause: new SystemCallError('mmap', errno()) });
  }
}
