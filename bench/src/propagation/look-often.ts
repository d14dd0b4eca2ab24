import { CodedError } from '@isthmus/core';
import { BENCH_NOT_ARRIVED } from '../bench.errors.ts';

/** Between two looks, milliseconds: fine enough for a latency, and the processor is nearly free for those that are measured. */
const PAUSE_MS = 0.05;
const cell = new Int32Array(new SharedArrayBuffer(4));

/**
 * Looks until it is so, holding the thread: a timer of the event loop is twenty times as coarse. Nothing else happens in this process.
 * @returns when it was so, as `performance.now`
 * @throws CodedError BENCH_NOT_ARRIVED
 */
export function lookOften(isSo: () => boolean, what: string, timeoutMs: number): number {
  const deadline = performance.now() + timeoutMs;
  while (!isSo()) {
    if (performance.now() > deadline)
      throw new CodedError(BENCH_NOT_ARRIVED, `${what} did not arrive within ${timeoutMs} ms`, { object: what });
    Atomics.wait(cell, 0, 0, PAUSE_MS);
  }
  return performance.now();
}
