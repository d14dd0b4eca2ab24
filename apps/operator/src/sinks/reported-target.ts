import { isCoded, LOG, type Log, messageOf, type SinkFailures, type SinkRow, type SinkTarget } from '@isthmus/core';
import { OPERATOR_NOT_LEADER } from '../operator.errors.ts';

/**
 * A target whose failures are logged: once when a row begins to fail in some way, once when it is well again. That the lead went to another
 * operator while a row was being written is no failure of the row: that one writes it.
 */
export class ReportedTarget<V> implements SinkTarget<V> {
  readonly #sink: string;
  readonly #target: SinkTarget<V>;
  readonly #log: Log;
  readonly #onFailure: (key: string) => void;
  readonly #said = new Map<string, string>();

  /** @param onFailure called for every row that fails, repeated or not */
  constructor(sink: string, target: SinkTarget<V>, log: Log, onFailure: (key: string) => void) {
    this.#sink = sink;
    this.#target = target;
    this.#log = log;
    this.#onFailure = onFailure;
  }

  async update(rows: readonly SinkRow<V>[]): Promise<SinkFailures | undefined> {
    const keys = rows.map(({ key }) => key);
    return this.#report(keys, await this.#attempt(keys, () => this.#target.update(rows)));
  }

  async delete(keys: readonly string[]): Promise<SinkFailures | undefined> {
    return this.#report(keys, await this.#attempt(keys, () => this.#target.delete(keys)));
  }

  entries(): ReturnType<NonNullable<SinkTarget<V>['entries']>> {
    return this.#target.entries?.() ?? [];
  }

  async #attempt(keys: readonly string[], call: () => ReturnType<SinkTarget<V>['update']>): Promise<SinkFailures | undefined> {
    try {
      return await call();
    } catch (error) {
      return new Map(keys.map((key) => [key, error]));
    }
  }

  #report(keys: readonly string[], failures: SinkFailures | undefined): SinkFailures | undefined {
    for (const key of keys) {
      const fields = { [LOG.sink]: this.#sink, [LOG.key]: key };
      if (!failures?.has(key)) {
        if (this.#said.delete(key)) this.#log.info(fields, 'works again');
        continue;
      }
      if (isCoded(failures.get(key), OPERATOR_NOT_LEADER)) continue;
      this.#onFailure(key);
      const message = messageOf(failures.get(key));
      if (this.#said.get(key) === message) continue;
      this.#said.set(key, message);
      this.#log.warn({ ...fields, [LOG.error]: failures.get(key) }, 'failed, is tried again');
    }
    return failures;
  }
}
