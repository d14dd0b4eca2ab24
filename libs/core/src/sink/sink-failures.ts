import { Backoff, type BackoffOptions } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import { CodedError, messageOf } from '../coded-error.ts';
import type { Random } from '../random.ts';
import type { TableWriter } from '../table/table-writer.ts';

/** A row of a sink's status table: something that is not yet as wanted. Rows that are done have none. */
export interface SinkStatus {
  readonly wanted: 'present' | 'absent';
  readonly done: false;
  /** With its code in front where it has one. */
  readonly error: string;
  readonly attempts: number;
  /** Monotonic milliseconds. */
  readonly retryAt: number;
}

/** Told when rows of a sink begin to fail, for longer than one attempt, and when none does any more. */
export type SinkTrouble = { readonly key: string; readonly error: unknown } | 'over';

/** Rows that failed, each with its own backoff; shown in the sink's status table. */
export class FailedRows {
  readonly #writer: TableWriter<SinkStatus>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #options: BackoffOptions;
  readonly #report: (trouble: SinkTrouble) => void;
  readonly #backoffs = new Map<string, Backoff>();
  #reported = false;

  constructor(
    writer: TableWriter<SinkStatus>,
    clock: Clock,
    random: Random,
    options: BackoffOptions,
    report: (trouble: SinkTrouble) => void,
  ) {
    this.#report = report;
    this.#writer = writer;
    this.#clock = clock;
    this.#random = random;
    this.#options = options;
  }

  get size(): number {
    return this.#backoffs.size;
  }

  has(key: string): boolean {
    return this.#backoffs.has(key);
  }

  /** Records a failure and when it is tried again. */
  add(key: string, wanted: SinkStatus['wanted'], error: unknown): void {
    const backoff = this.#backoffs.get(key) ?? new Backoff(this.#options, this.#random);
    this.#backoffs.set(key, backoff);
    const retryAt = this.#clock.now() + backoff.next();
    this.#writer.put(key, { wanted, done: false, error: errorText(error), attempts: backoff.attempt, retryAt });
    if (this.#reported || backoff.attempt < 2) return;
    this.#reported = true;
    this.#report({ key, error });
  }

  remove(key: string): void {
    if (this.#backoffs.delete(key)) this.#writer.delete(key);
    if (!this.#reported || this.#backoffs.size > 0) return;
    this.#reported = false;
    this.#report('over');
  }

  /** Something went that these rows may have had no room beside: as many of them are tried again at once. */
  hasten(count: number): void {
    let left = count;
    for (const key of this.#backoffs.keys()) {
      if (left-- <= 0) return;
      const row = this.#writer.table.get(key);
      if (row?.wanted === 'present') this.#writer.put(key, { ...row, retryAt: this.#clock.now() });
    }
  }

  /** Keys whose time has come. */
  due(): string[] {
    const now = this.#clock.now();
    return [...this.#backoffs.keys()].filter((key) => (this.#writer.table.get(key)?.retryAt ?? 0) <= now);
  }

  /** Monotonic milliseconds of the next retry; undefined when nothing failed. */
  nextRetryAt(): number | undefined {
    let earliest: number | undefined;
    for (const key of this.#backoffs.keys()) {
      const at = this.#writer.table.get(key)?.retryAt ?? 0;
      if (earliest === undefined || at < earliest) earliest = at;
    }
    return earliest;
  }
}

function errorText(error: unknown): string {
  return error instanceof CodedError ? `${error.code}: ${error.message}` : messageOf(error);
}
