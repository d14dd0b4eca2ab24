import { Backoff, type BackoffOptions } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../coded-error.ts';
import type { Random } from '../random.ts';
import type { TableWriter } from '../table/table-writer.ts';

/** A row of a sink's status table: something that is not yet as wanted. Rows that are done have none. */
export interface SinkStatus {
  readonly wanted: 'present' | 'absent';
  readonly done: false;
  readonly error: string;
  readonly attempts: number;
  /** Monotonic milliseconds. */
  readonly retryAt: number;
}

/** Rows that failed, each with its own backoff; shown in the sink's status table. */
export class FailedRows {
  readonly #writer: TableWriter<SinkStatus>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #options: BackoffOptions;
  readonly #backoffs = new Map<string, Backoff>();

  constructor(writer: TableWriter<SinkStatus>, clock: Clock, random: Random, options: BackoffOptions) {
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
    this.#writer.put(key, { wanted, done: false, error: messageOf(error), attempts: backoff.attempt, retryAt });
  }

  remove(key: string): void {
    if (this.#backoffs.delete(key)) this.#writer.delete(key);
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
