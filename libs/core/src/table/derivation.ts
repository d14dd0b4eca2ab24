import type { Clock } from '../clock.ts';
import type { Applied, Table } from './table.ts';

/** One input of a derivation, its row type hidden: which output keys a change of the input concerns. */
export interface DerivationInput {
  readonly table: Table<unknown>;
  affected(change: Applied<unknown>): Iterable<string>;
}

/**
 * Declares an input: `affects` names the output keys that a change concerns, from the row now and the row before (either may be undefined).
 * It may read other tables, but for a change of the present commit it must look at both `row` and `before`.
 */
export function input<V>(
  table: Table<V>,
  affects: (key: string, row: V | undefined, before: V | undefined) => Iterable<string>,
): DerivationInput {
  return {
    table: table as Table<unknown>,
    affected: (change) => affects(change.key, change.row as V | undefined, change.before as V | undefined),
  };
}

/** What a derivation may ask for besides its inputs. */
export interface DerivationContext {
  /** Monotonic milliseconds. */
  now(): number;
  /** Computes this key again at `instant` (monotonic milliseconds), whatever the inputs do. The latest call counts. */
  wakeAt(instant: number): void;
}

/**
 * A pure function from rows to rows. For each output key that a commit may concern, `compute` says what its row is now (undefined: none),
 * from the input tables, which are complete at the commit's revision.
 */
export interface DerivationSpec<V> {
  /** Name of the output table. */
  name: string;
  inputs: readonly DerivationInput[];
  compute(key: string, context: DerivationContext): V | undefined;
  maxTombstones?: number;
}

/** A derivation at work. Owned by the store. */
export class Derivation<V> {
  readonly output: Table<V>;
  readonly #spec: DerivationSpec<V>;
  readonly #clock: Clock;
  readonly #wake: (key: string) => void;
  readonly #timers = new Map<string, () => void>();

  constructor(spec: DerivationSpec<V>, output: Table<V>, clock: Clock, wake: (key: string) => void) {
    this.#spec = spec;
    this.output = output;
    this.#clock = clock;
    this.#wake = wake;
  }

  /** Output keys that these changes concern. */
  affected(changesOf: (table: Table<unknown>) => readonly Applied<unknown>[]): Set<string> {
    const keys = new Set<string>();
    for (const each of this.#spec.inputs)
      for (const change of changesOf(each.table)) for (const key of each.affected(change)) keys.add(key);
    return keys;
  }

  /** The row of one output key now. */
  compute(key: string): V | undefined {
    this.#timers.get(key)?.();
    this.#timers.delete(key);
    return this.#spec.compute(key, {
      now: () => this.#clock.now(),
      wakeAt: (instant) => this.#setTimer(key, instant),
    });
  }

  #setTimer(key: string, instant: number): void {
    this.#timers.get(key)?.();
    this.#timers.set(
      key,
      this.#clock.after(Math.max(0, instant - this.#clock.now()), () => {
        this.#timers.delete(key);
        this.#wake(key);
      }),
    );
  }
}
