import type { DropReason } from './decode-result.ts';
import type { RecordKind } from './record-kind.ts';

/** How many records of a kind were dropped for a reason. */
export interface DropCount {
  kind: RecordKind;
  reason: DropReason;
  count: number;
  /** Name of the last one, cut short. It comes from outside: show it quoted. */
  last: string;
  /** What was wrong in that one, where the reason alone does not tell. */
  detail: string;
}

/** Longest part of a name that is kept, in characters. */
const MAX_NAME = 128;

/** Counts dropped records. Both labels come from fixed sets, so there are at most a few dozen counters. */
export class DropCounters {
  readonly #counts = new Map<string, DropCount>();

  add(kind: RecordKind, reason: DropReason, name: string, detail = ''): void {
    const key = `${kind}/${reason}`;
    const count = (this.#counts.get(key)?.count ?? 0) + 1;
    this.#counts.set(key, { kind, reason, count, last: name.slice(0, MAX_NAME), detail });
  }

  /** Every counter that is not zero, since the start of the process. */
  list(): DropCount[] {
    return [...this.#counts.values()].map((entry) => ({ ...entry }));
  }
}
