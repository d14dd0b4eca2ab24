import { CodedError, isCoded } from '@isthmus/core';
import { KV_LEASE_LOST, KV_UNREACHABLE } from '../../kv-errors.ts';
import type { KvCallOptions, KvLease, KvWitness } from '../../kvstore.ts';
import { LeaseKeeper } from '../../lease-keeper.ts';
import { decodeHeaderAnswer, decodeKeepAlive, decodeLeaseGrant } from './decode.ts';
import { encodeLeaseGrant, encodeLeaseId } from './encode.ts';
import type { EtcdRpc } from './etcd-rpc.ts';
import { streamAnswers } from './etcd-stream.ts';
import { etcdMethod } from './protos.ts';
import { Shared, withSignal } from './shared.ts';

const GRANT = etcdMethod('Lease', 'LeaseGrant', encodeLeaseGrant, decodeLeaseGrant);
const REVOKE = etcdMethod('Lease', 'LeaseRevoke', encodeLeaseId, decodeHeaderAnswer);
const KEEP_ALIVE = etcdMethod('Lease', 'LeaseKeepAlive', encodeLeaseId, decodeKeepAlive);

const WITNESS_TTL_SECONDS = 3_600;

/** Grants leases and keeps them alive, each renewal over a short stream of its own on whatever connection there is. */
export class EtcdLeases {
  readonly #rpc: EtcdRpc;
  readonly #keepers = new Set<LeaseKeeper>();
  /** Marks are left, and asked about, by many at a time: whoever waits for the same is told together. */
  readonly #marking = new Shared<string>();
  readonly #asking = new Map<string, Shared<number>>();

  constructor(rpc: EtcdRpc) {
    this.#rpc = rpc;
  }

  async grant(ttlSeconds: number, options: KvCallOptions): Promise<KvLease> {
    const { clock, random } = this.#rpc.connection.settings;
    const sentAt = clock.now();
    const { id, granted, revision } = await this.#grant(ttlSeconds, options);
    const renew = (signal: AbortSignal): Promise<number> => this.#renew(id, { signal, timeoutMs: (granted * 1000) / 3 });
    const keeper = new LeaseKeeper({ id, ttlSeconds: granted, sentAt, clock, random, renew });
    this.#keepers.add(keeper);
    keeper.lost.addEventListener('abort', () => this.#keepers.delete(keeper), { once: true });
    return { id, ttlSeconds: granted, revision, lost: keeper.lost, revoke: () => this.#revoke(id, keeper) };
  }

  /**
   * An empty lease is the mark: its id is made of the server's clock and counter, and restored copies hold only leases of their time. Those
   * who ask for one before it is requested share it: it is younger than their asking.
   */
  async witness(options: KvCallOptions): Promise<KvWitness> {
    const id = await withSignal(
      this.#marking.ask(() => this.#mark()),
      options.signal,
    );
    return { stands: async (asked = {}) => (await withSignal(this.#timeToLive(id), asked.signal)) > 0 };
  }

  async #mark(): Promise<string> {
    return (await this.#grant(WITNESS_TTL_SECONDS, {})).id;
  }

  async #timeToLive(id: string): Promise<number> {
    const shared = this.#asking.get(id) ?? new Shared<number>();
    this.#asking.set(id, shared);
    try {
      return await shared.ask(() => this.#renew(id, {}));
    } finally {
      if (shared.idle) this.#asking.delete(id);
    }
  }

  /** Ends keeping; the leases run out on the server. */
  close(): void {
    for (const keeper of this.#keepers) keeper.stop();
    this.#keepers.clear();
  }

  async #revoke(id: string, keeper: LeaseKeeper): Promise<void> {
    keeper.stop();
    this.#keepers.delete(keeper);
    try {
      await this.#rpc.call(REVOKE, { id }, { verb: 'revoke', object: `lease ${id}` });
    } catch (error) {
      if (!isCoded(error, KV_LEASE_LOST)) throw error;
    }
  }

  async #grant(ttlSeconds: number, options: KvCallOptions): Promise<{ id: string; granted: number; revision: number }> {
    const { answer } = await this.#rpc.call(GRANT, { seconds: Math.ceil(ttlSeconds) }, { verb: 'grant', object: 'lease' }, options);
    return { id: answer.id, granted: answer.seconds, revision: answer.header.revision };
  }

  /** Renews a lease; resolves with its time to live in seconds, 0 when the server does not know it. */
  async #renew(id: string, options: KvCallOptions): Promise<number> {
    const { connection } = this.#rpc;
    const { clock, timeoutMs } = connection.settings;
    const withinMs = options.timeoutMs ?? timeoutMs;
    const link = await connection.link(withinMs, options.signal);
    const name = { verb: 'renew', object: `lease ${id}` };
    const first = { withinMs, after: (ms: number, fn: () => void) => clock.after(ms, fn) };
    for await (const answer of streamAnswers(link, KEEP_ALIVE, { id }, name, first, options.signal)) {
      link.check(answer.header.clusterId);
      return answer.seconds;
    }
    options.signal?.throwIfAborted();
    throw new CodedError(KV_UNREACHABLE, `renew lease ${id} at ${link.target.name}: the server ended the stream`, { object: id });
  }
}
