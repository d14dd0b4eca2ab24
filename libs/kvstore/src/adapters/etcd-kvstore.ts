import { prefixRange } from '../key-range.ts';
import type { KvAuth } from '../kv-auth.ts';
import type {
  KvCallOptions,
  KvEntry,
  KvLease,
  KvMaintenance,
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
import { decodeDeleteRange, decodeHeaderAnswer, decodeTxn } from './etcd/decode.ts';
import { encodeDelete, encodePut, encodeTxn } from './etcd/encode.ts';
import { EtcdConnection } from './etcd/etcd-connection.ts';
import { EtcdKvAuth } from './etcd/etcd-kv-auth.ts';
import { EtcdLeases } from './etcd/etcd-leases.ts';
import { STATUS } from './etcd/etcd-link.ts';
import { EtcdMaintenance } from './etcd/etcd-maintenance.ts';
import { type EtcdOptions, etcdSettings } from './etcd/etcd-options.ts';
import { EtcdPages, RANGE } from './etcd/etcd-pages.ts';
import { EtcdRpc } from './etcd/etcd-rpc.ts';
import { watchPrefix } from './etcd/etcd-watch.ts';
import { etcdMethod } from './etcd/protos.ts';

const PUT = etcdMethod('KV', 'Put', encodePut, decodeHeaderAnswer);
const DELETE = etcdMethod('KV', 'DeleteRange', encodeDelete, decodeDeleteRange);
const TXN = etcdMethod('KV', 'Txn', encodeTxn, decodeTxn);

/**
 * The port on a real etcd (3.4 or newer). Connects at the first call and again whenever the connection is lost, each time with the
 * certificate files read anew and another endpoint's turn.
 */
export class EtcdKvStore implements KvStore {
  readonly #connection: EtcdConnection;
  readonly #rpc: EtcdRpc;
  readonly #leases: EtcdLeases;
  readonly #pages: EtcdPages;
  /** This etcd's users and roles. */
  readonly auth: KvAuth;
  /** This etcd's upkeep. */
  readonly maintenance: KvMaintenance;

  /** @throws CodedError KV_CONFIG when an endpoint is no URL; connects only when first used */
  constructor(options: EtcdOptions) {
    this.#connection = new EtcdConnection(etcdSettings(options));
    this.#rpc = new EtcdRpc(this.#connection);
    this.#leases = new EtcdLeases(this.#rpc);
    this.#pages = new EtcdPages(this.#rpc);
    this.auth = new EtcdKvAuth(this.#rpc);
    this.maintenance = new EtcdMaintenance(this.#rpc);
  }

  async get(key: string, options: KvCallOptions & { revision?: number } = {}): Promise<KvEntry | undefined> {
    const request = { key, revision: options.revision ?? 0 };
    const { answer } = await this.#rpc.call(RANGE, request, { verb: 'get', object: key }, options);
    return answer.entries[0];
  }

  list(prefix: string, options: KvCallOptions & { pageSize?: number } = {}): AsyncIterable<KvPage> {
    return this.#pages.list(prefix, options);
  }

  async put(key: string, value: KvValue, options: KvCallOptions & { lease?: string } = {}): Promise<{ revision: number }> {
    const { answer } = await this.#rpc.call(PUT, { key, value, lease: options.lease }, { verb: 'put', object: key }, options);
    return { revision: answer.header.revision };
  }

  async delete(key: string, options: KvCallOptions = {}): Promise<{ deleted: number; revision: number }> {
    const { answer } = await this.#rpc.call(DELETE, { key }, { verb: 'delete', object: key }, options);
    return { deleted: answer.deleted, revision: answer.header.revision };
  }

  async deletePrefix(prefix: string, options: KvCallOptions = {}): Promise<{ deleted: number; revision: number }> {
    const { start, end } = prefixRange(prefix);
    const { answer } = await this.#rpc.call(DELETE, { key: start, rangeEnd: end }, { verb: 'delete', object: `${prefix}*` }, options);
    return { deleted: answer.deleted, revision: answer.header.revision };
  }

  async txn(txn: KvTxn, options: KvCallOptions = {}): Promise<KvTxnResult> {
    const object = txnName(txn);
    const { answer } = await this.#rpc.call(TXN, txn, { verb: 'transaction on', object }, options);
    const { succeeded, results, header } = answer;
    const ops = succeeded ? txn.success : (txn.failure ?? []);
    return { succeeded, revision: header.revision, results: txnResults(ops, results) };
  }

  watch(prefix: string, options: KvWatchOptions = {}): AsyncIterable<KvWatchResponse> {
    return watchPrefix(this.#connection, prefix, options);
  }

  grantLease(ttlSeconds: number, options: KvCallOptions = {}): Promise<KvLease> {
    return this.#leases.grant(ttlSeconds, options);
  }

  witness(options: KvCallOptions = {}): Promise<KvWitness> {
    return this.#leases.witness(options);
  }

  async status(options: KvCallOptions = {}): Promise<KvStatus> {
    const { answer } = await this.#rpc.call(STATUS, undefined, { verb: 'ask', object: 'status' }, options);
    const { header, version, dbSize, errors } = answer;
    const alarms = errors.map((error) => /alarm:(\w+)/.exec(error)?.[1] ?? error);
    const { clusterId, memberId } = header;
    return { clusterId, memberId, revision: header.revision, version, dbSize, errors: alarms };
  }

  close(): void {
    this.#leases.close();
    this.#connection.close();
  }
}

/** The first key of a transaction stands for it in errors. */
function txnName({ compare, success, failure }: KvTxn): string {
  const first = compare?.[0] ?? success[0] ?? failure?.[0];
  if (!first) return 'nothing';
  return 'prefix' in first ? `${first.prefix}*` : first.key;
}

/** Gives the deletions of an answer the kind that they had in the request. */
function txnResults(ops: readonly KvOp[], results: readonly KvOpResult[]): KvOpResult[] {
  return results.map((result, i) =>
    ops[i]?.type === 'deletePrefix' && 'deleted' in result ? { ...result, type: 'deletePrefix' } : result,
  );
}
