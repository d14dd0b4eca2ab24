import { CodedError } from '@isthmus/core';
import type {
  KvCallOptions,
  KvEntry,
  KvLease,
  KvOp,
  KvPage,
  KvStatus,
  KvStore,
  KvTxn,
  KvTxnResult,
  KvValue,
  KvWatchOptions,
  KvWatchResponse,
  KvWitness,
} from '@isthmus/kvstore';
import { OPERATOR_NOT_LEADER } from '../operator.errors.ts';
import type { LeaderTerm } from './leader-election.ts';
import { LEADER_KEY } from './leader-seat.ts';

/**
 * A store whose writes happen only while one term of leadership lasts: the store itself checks, in each write's transaction, that the
 * leader's key is still that of the term. A write that was under way when leadership went is refused, however late it arrives.
 */
export class FencedKv implements KvStore {
  readonly #kv: KvStore;
  readonly #term: LeaderTerm;

  constructor(kv: KvStore, term: LeaderTerm) {
    this.#kv = kv;
    this.#term = term;
  }

  get(key: string, options?: KvCallOptions & { revision?: number }): Promise<KvEntry | undefined> {
    return this.#kv.get(key, options);
  }

  list(prefix: string, options?: KvCallOptions & { pageSize?: number }): AsyncIterable<KvPage> {
    return this.#kv.list(prefix, options);
  }

  watch(prefix: string, options?: KvWatchOptions): AsyncIterable<KvWatchResponse> {
    return this.#kv.watch(prefix, options);
  }

  async put(key: string, value: KvValue, options: KvCallOptions & { lease?: string } = {}): Promise<{ revision: number }> {
    const { lease } = options;
    const { revision } = await this.txn({ success: [{ type: 'put', key, value, ...(lease && { lease }) }] }, options);
    return { revision };
  }

  delete(key: string, options?: KvCallOptions): Promise<{ deleted: number; revision: number }> {
    return this.#delete({ type: 'delete', key }, options);
  }

  deletePrefix(prefix: string, options?: KvCallOptions): Promise<{ deleted: number; revision: number }> {
    return this.#delete({ type: 'deletePrefix', prefix }, options);
  }

  /** @throws CodedError OPERATOR_NOT_LEADER when the term is over */
  async txn({ compare = [], success, failure = [] }: KvTxn, options: KvCallOptions = {}): Promise<KvTxnResult> {
    const { revision, signal } = this.#term;
    if (signal.aborted) throw notLeader(signal.reason);
    const result = await this.#write(
      {
        compare: [{ key: LEADER_KEY, modRevision: revision }, ...compare],
        success,
        failure: [...failure, { type: 'get', key: LEADER_KEY }],
      },
      options,
    );
    if (result.succeeded) return result;
    const leader = result.results.at(-1);
    if (leader?.type !== 'get' || leader.entry?.modRevision !== revision) throw notLeader();
    return { ...result, results: result.results.slice(0, -1) };
  }

  grantLease(ttlSeconds: number, options?: KvCallOptions): Promise<KvLease> {
    return this.#kv.grantLease(ttlSeconds, options);
  }

  witness(options?: KvCallOptions): Promise<KvWitness> {
    return this.#kv.witness(options);
  }

  status(options?: KvCallOptions): Promise<KvStatus> {
    return this.#kv.status(options);
  }

  /** Does nothing: the connection outlives the term. */
  close(): void {}

  /** A write that is under way when the term ends may have happened or not: the next leader looks. */
  async #write(txn: KvTxn, options: KvCallOptions): Promise<KvTxnResult> {
    const { signal } = this.#term;
    try {
      return await this.#kv.txn(txn, { ...options, signal: options.signal ? AbortSignal.any([options.signal, signal]) : signal });
    } catch (error) {
      throw signal.aborted ? notLeader(error) : error;
    }
  }

  async #delete(op: KvOp, options?: KvCallOptions): Promise<{ deleted: number; revision: number }> {
    const { results, revision } = await this.txn({ success: [op] }, options);
    const [result] = results;
    return { deleted: result && 'deleted' in result ? result.deleted : 0, revision };
  }
}

function notLeader(cause?: unknown): CodedError {
  return new CodedError(OPERATOR_NOT_LEADER, 'this operator does not lead any more', { object: LEADER_KEY, cause });
}
