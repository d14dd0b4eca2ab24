import { CodedError } from '@isthmus/core';
import type { KvAuth } from '../kv-auth.ts';
import { KV_CLOSED, KV_QUOTA } from '../kv-errors.ts';
import type {
  KvCallOptions,
  KvEntry,
  KvLease,
  KvOp,
  KvOpResult,
  KvPage,
  KvStatus,
  KvStore,
  KvTxn,
  KvTxnResult,
  KvValue,
  KvWatchOptions,
  KvWatchResponse,
  KvWitness,
} from '../kvstore.ts';
import { LeaseKeeper } from '../lease-keeper.ts';
import { MemoryKvAuth } from './memory/memory-kv-auth.ts';
import type { MemoryKvServer } from './memory/memory-server.ts';
import type { MemoryWatch } from './memory/memory-watch.ts';

const PAGE_SIZE = 1_000;

/** A connection to a {@link MemoryKvServer}: the port's double, with etcd's semantics. */
export class MemoryKvStore implements KvStore {
  readonly #server: MemoryKvServer;
  readonly #user: string;
  readonly #keepers = new Set<LeaseKeeper>();
  readonly #watches = new Set<MemoryWatch>();
  #closed = false;
  /** The users and roles of this server. */
  readonly auth: KvAuth;

  constructor(server: MemoryKvServer, user: string) {
    this.#server = server;
    this.#user = user;
    this.auth = new MemoryKvAuth(() => server.auth, user);
  }

  async get(key: string, options: KvCallOptions & { revision?: number } = {}): Promise<KvEntry | undefined> {
    const { results } = await this.txn({ success: [{ type: 'get', key, ...pick(options) }] }, options);
    return (results[0] as KvOpResult & { type: 'get' }).entry;
  }

  async *list(prefix: string, options: KvCallOptions & { pageSize?: number } = {}): AsyncGenerator<KvPage> {
    await this.#enter(options.signal);
    this.#server.auth.check(this.#user, 'read', { prefix });
    const { clusterId, revision } = this.#server;
    const entries = this.#server.history.range(prefix);
    const size = options.pageSize ?? PAGE_SIZE;
    for (let from = 0; from === 0 || from < entries.length; from += size) {
      if (from > 0) await this.#enter(options.signal);
      this.#server.history.check(revision);
      yield { entries: entries.slice(from, from + size), revision, clusterId };
    }
  }

  async put(key: string, value: KvValue, options: KvCallOptions & { lease?: string } = {}): Promise<{ revision: number }> {
    const { lease } = options;
    const { revision } = await this.txn({ success: [{ type: 'put', key, value, ...(lease && { lease }) }] }, options);
    return { revision };
  }

  delete(key: string, options: KvCallOptions = {}): Promise<{ deleted: number; revision: number }> {
    return this.#delete({ type: 'delete', key }, options);
  }

  deletePrefix(prefix: string, options: KvCallOptions = {}): Promise<{ deleted: number; revision: number }> {
    return this.#delete({ type: 'deletePrefix', prefix }, options);
  }

  async txn(txn: KvTxn, options: KvCallOptions = {}): Promise<KvTxnResult> {
    await this.#enter(options.signal);
    for (const { key } of txn.compare ?? []) this.#server.auth.check(this.#user, 'read', { key });
    for (const op of [...txn.success, ...(txn.failure ?? [])]) this.#checkOp(op);
    return this.#server.txn(txn);
  }

  async *watch(prefix: string, options: KvWatchOptions = {}): AsyncGenerator<KvWatchResponse> {
    const { signal } = options;
    if (signal?.aborted) return;
    await this.#enter();
    this.#server.auth.check(this.#user, 'read', { prefix });
    const watch = this.#server.watch(prefix, options);
    const onAbort = (): void => watch.end();
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#watches.add(watch);
    try {
      for await (const response of watch) {
        if (signal?.aborted) return;
        yield response;
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#watches.delete(watch);
    }
  }

  async grantLease(ttlSeconds: number, options: KvCallOptions = {}): Promise<KvLease> {
    await this.#enter(options.signal);
    const { clock, random, leases, revision } = this.#server;
    const id = leases.grant(ttlSeconds);
    const keeper = new LeaseKeeper({ id, ttlSeconds, sentAt: clock.now(), clock, random, renew: () => this.#renew(id) });
    this.#keepers.add(keeper);
    const revoke = async (): Promise<void> => {
      keeper.stop();
      this.#keepers.delete(keeper);
      await this.#enter();
      leases.expire(id);
    };
    return { id, ttlSeconds, revision, lost: keeper.lost, revoke };
  }

  async witness(options: KvCallOptions = {}): Promise<KvWitness> {
    await this.#enter(options.signal);
    if (this.#server.full) throw new CodedError(KV_QUOTA, 'database space exceeded');
    const mark = this.#server.history.mark();
    const stands = async (asked: KvCallOptions = {}): Promise<boolean> => {
      await this.#enter(asked.signal);
      return this.#server.history.bears(mark);
    };
    return { stands };
  }

  async status(options: KvCallOptions = {}): Promise<KvStatus> {
    await this.#enter(options.signal);
    const { clusterId, revision, full } = this.#server;
    return { clusterId, memberId: '1', revision, version: 'memory', dbSize: 0, errors: full ? ['NOSPACE'] : [] };
  }

  close(): void {
    this.#closed = true;
    for (const keeper of this.#keepers) keeper.stop();
    for (const watch of this.#watches) watch.end(closed());
  }

  async #delete(op: KvOp, options: KvCallOptions): Promise<{ deleted: number; revision: number }> {
    const { results, revision } = await this.txn({ success: [op] }, options);
    return { deleted: (results[0] as { deleted: number }).deleted, revision };
  }

  #checkOp(op: KvOp): void {
    const scope = op.type === 'deletePrefix' ? { prefix: op.prefix } : { key: op.key };
    this.#server.auth.check(this.#user, op.type === 'get' ? 'read' : 'write', scope);
  }

  async #renew(id: string): Promise<number> {
    await this.#enter();
    return this.#server.leases.renew(id);
  }

  /** Every call takes a turn of the loop, as one over a network does. */
  async #enter(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    if (this.#closed) throw closed();
    this.#server.checkUp();
  }
}

function closed(): CodedError {
  return new CodedError(KV_CLOSED, 'memory store: closed', { object: 'memory' });
}

function pick(options: { revision?: number }): { revision?: number } {
  return options.revision === undefined ? {} : { revision: options.revision };
}
