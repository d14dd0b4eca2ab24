import type { KvPage, KvStore, KvTxn, KvTxnResult } from '@isthmus/kvstore';

/** The part of a store that sinks use. */
export type SinkKv = Pick<KvStore, 'txn' | 'list'>;

/**
 * Passes calls on and notices when the store has gone back in time: an answer whose revision is lower than one that was known before the call
 * was sent comes from a copy. A watch alone may not see that, when nothing under its prefix changed since the copy was made.
 */
export class RevisionGuard implements SinkKv {
  readonly #kv: KvStore;
  readonly #onWentBack: () => void;
  #highest = 0;

  constructor(kv: KvStore, onWentBack: () => void) {
    this.#kv = kv;
    this.#onWentBack = onWentBack;
  }

  async txn(txn: KvTxn): Promise<KvTxnResult> {
    const before = this.#highest;
    const result = await this.#kv.txn(txn);
    if (result.revision < before && before === this.#highest) {
      this.#highest = result.revision;
      this.#onWentBack();
    }
    this.#highest = Math.max(this.#highest, result.revision);
    return result;
  }

  list(prefix: string): AsyncIterable<KvPage> {
    return this.#kv.list(prefix);
  }

  /** Asks the store how far it is, without changing anything. */
  async check(key: string): Promise<void> {
    await this.txn({ success: [{ type: 'get', key }] });
  }

  /** The store was replaced for sure: what was known of its revisions is void. */
  reset(): void {
    this.#highest = 0;
  }
}
