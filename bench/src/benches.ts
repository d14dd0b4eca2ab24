import type { Case } from './harness.ts';
import { selfCheck } from './self-check.ts';

/** A benchmark that is set up: its cases, and how to take it down. */
export interface OpenBench {
  readonly cases: readonly Case[];
  /** Processes that work for it without descending from this one. */
  readonly ownProcesses?: () => readonly number[];
  /** Stops and removes everything that opening made. */
  close(): Promise<void>;
}

/** A benchmark. */
export interface Bench {
  readonly name: string;
  readonly about: string;
  open(): Promise<OpenBench>;
}

/** Every benchmark, in order of `make bench`. */
export const BENCHES: readonly Bench[] = [selfCheck];
