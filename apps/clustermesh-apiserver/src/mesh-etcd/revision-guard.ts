import { CodedError } from '@isthmus/core';
import { KV_LEASE_LOST, type KvLease, type KvPage, type KvStore, type KvTxn, type KvTxnResult } from '@isthmus/kvstore';

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
    this.#notice(before, result.revision);
    return result;
  }

  /**
   * Grants a lease. A store that lost one is often a store that lost everything: what was about to be written under the new one is to be
   * thought over then.
   * @throws CodedError KV_LEASE_LOST when the store went back
   */
  async grantLease(ttlSeconds: number): Promise<KvLease> {
    const before = this.#highest;
    const lease = await this.#kv.grantLease(ttlSeconds);
    if (!this.#notice(before, lease.revision)) return lease;
    lease.revoke().catch(() => undefined); // it holds nothing, and runs out by itself
    throw new CodedError(KV_LEASE_LOST, 'the store lost its history together with the lease', { object: lease.id });
  }

  list(prefix: string): AsyncIterable<KvPage> {
    return this.#kv.list(prefix);
  }

  /** Asks the store how far it is, without changing anything. */
  async check(key: string): Promise<void> {
    await this.txn({ success: [{ type: 'get', key }] });
  }

  /** Answers whether an answer of this revision, to a call sent when `before` was known, comes from a store that went back. */
  #notice(before: number, revision: number): boolean {
    const wentBack = revision < before;
    // Otherwise another call has noticed already.
    if (wentBack && before === this.#highest) {
      this.#highest = revision;
      this.#onWentBack();
    }
    this.#highest = Math.max(this.#highest, revision);
    return wentBack;
  }

  /** The store was replaced for sure: what was known of its revisions is void. */
  reset(): void {
    this.#highest = 0;
  }
}
