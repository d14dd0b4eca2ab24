import type { DropReason } from './decode-result.ts';
import type { RecordKind } from './record-kind.ts';

/** How many records of a kind were dropped for a reason. */
export interface DropCount {
  kind: RecordKind;
  reason: DropReason;
  count: number;
}

/** Counts dropped records. Both labels come from fixed sets, so there are at most a few dozen counters. */
export class DropCounters {
  readonly #counts = new Map<string, DropCount>();

  add(kind: RecordKind, reason: DropReason): void {
    const key = `${kind}/${reason}`;
    const entry = this.#counts.get(key);
    if (entry === undefined) this.#counts.set(key, { kind, reason, count: 1 });
    else entry.count++;
  }

  /** Every counter that is not zero, since the start of the process. */
  list(): DropCount[] {
    return [...this.#counts.values()].map((entry) => ({ ...entry }));
  }
}
