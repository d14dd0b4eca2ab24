import { type FoundEntry, isCoded, type SinkFailures, type SinkRow, type SinkTarget } from '@isthmus/core';
import { KV_LEASE_LOST, KV_TOO_LARGE, type KvCompare, type KvEntry, type KvOp, type KvOpResult, MAX_TXN_OPS } from '@isthmus/kvstore';
import { chunks } from './chunks.ts';
import type { MeshLease } from './mesh-lease.ts';
import type { SinkKv } from './revision-guard.ts';

/** One transaction's share: etcd takes 1.5 MiB a request by default. */
const LIMITS = { items: MAX_TXN_OPS, bytes: 512 * 1024 };
/** A longer text is not sent twice in one request, to be compared and to be put. */
const MAX_COMPARED = 128 * 1024;
/** Lease of a key that no lease holds. */
const NO_LEASE = '0';

/** Which keys a {@link KvTextTarget} makes equal to its table. */
export interface KvTextTargetOptions {
  kv: SinkKv;
  /** What stands before a row's key in etcd; may be empty. */
  prefix: string;
  /** Prefixes that are listed for pruning; `prefix` alone unless given. */
  listed?: readonly string[];
  /** Whose a key is; undefined: not this table's business. */
  scopeOf(rowKey: string): string | undefined;
  /** The lease that holds the keys; none unless given. */
  lease?: MeshLease;
  /** Told how many rows of a call failed, and why the last of them. */
  onFailures?(count: number, error: unknown): void;
  /** Told that the etcd took something. */
  onWritten?(): void;
}

/**
 * Makes keys of an etcd equal to a table of texts. Writes only what differs: a rewrite of the same bytes would wake every reader in the mesh
 * for nothing. Under a lease a key counts as written only when that very lease holds it.
 */
export class KvTextTarget implements SinkTarget<string> {
  readonly #options: KvTextTargetOptions;
  /** None of the rows that were looked for last was there: the etcd is being filled, and need not be asked first. */
  #noneThere = false;

  constructor(options: KvTextTargetOptions) {
    this.#options = options;
  }

  async update(rows: readonly SinkRow<string>[]): Promise<SinkFailures> {
    const lease = (await this.#options.lease?.id()) ?? NO_LEASE;
    return this.#inChunks(
      rows,
      ({ row }) => row.length,
      ({ key }) => key,
      (chunk) => this.#write(chunk, lease),
    );
  }

  async delete(keys: readonly string[]): Promise<SinkFailures> {
    return this.#inChunks(
      keys,
      (key) => key.length,
      (key) => key,
      async (chunk) => {
        await this.#options.kv.txn({ success: chunk.map((key) => ({ type: 'delete', key: this.#key(key) })) });
      },
    );
  }

  async *entries(): AsyncGenerator<FoundEntry[]> {
    const { kv, prefix, listed, scopeOf } = this.#options;
    for (const from of listed ?? [prefix]) {
      for await (const { entries } of kv.list(from)) {
        yield entries.flatMap((entry) => {
          const key = entry.key.slice(prefix.length);
          const scope = scopeOf(key);
          return scope === undefined ? [] : [{ key, scope }];
        });
      }
    }
  }

  #key(rowKey: string): string {
    return this.#options.prefix + rowKey;
  }

  async #write(rows: readonly SinkRow<string>[], lease: string): Promise<void> {
    try {
      const [only] = rows;
      const wrote =
        only && rows.length === 1 && only.row.length <= MAX_COMPARED ? this.#writeOne(only, lease) : this.#writeChanged(rows, lease);
      if (await wrote) this.#options.onWritten?.();
    } catch (error) {
      if (isCoded(error, KV_LEASE_LOST)) this.#options.lease?.forget(lease);
      throw error;
    }
  }

  /** Changes come one by one mostly, and everybody in the mesh waits for them: the etcd itself compares, which saves a round trip. */
  async #writeOne({ key, row }: SinkRow<string>, lease: string): Promise<boolean> {
    const name = this.#key(key);
    const compare: KvCompare[] = [
      { key: name, value: row },
      { key: name, lease },
    ];
    const { succeeded } = await this.#options.kv.txn({ compare, success: [], failure: [this.#put(key, row, lease)] });
    return !succeeded;
  }

  /** Reads first: most of many rows are there already, after a restart. */
  async #writeChanged(rows: readonly SinkRow<string>[], lease: string): Promise<boolean> {
    const found = this.#noneThere ? await this.#createAll(rows, lease) : await this.#read(rows);
    if (found === undefined) return true;
    this.#noneThere = found.every((result) => result.type === 'get' && result.entry === undefined);
    const changed = rows.filter(({ row }, index) => !holds(found[index], row, lease));
    if (changed.length > 0) await this.#options.kv.txn({ success: changed.map(({ key, row }) => this.#put(key, row, lease)) });
    return changed.length > 0;
  }

  async #read(rows: readonly SinkRow<string>[]): Promise<readonly KvOpResult[]> {
    return (await this.#options.kv.txn({ success: this.#gets(rows) })).results;
  }

  /** Puts all, if none of them is there; otherwise answers what is. */
  async #createAll(rows: readonly SinkRow<string>[], lease: string): Promise<readonly KvOpResult[] | undefined> {
    const { succeeded, results } = await this.#options.kv.txn({
      compare: rows.map(({ key }) => ({ key: this.#key(key), createRevision: 0 })),
      success: rows.map(({ key, row }) => this.#put(key, row, lease)),
      failure: this.#gets(rows),
    });
    return succeeded ? undefined : results;
  }

  #gets(rows: readonly SinkRow<string>[]): KvOp[] {
    return rows.map(({ key }) => ({ type: 'get', key: this.#key(key) }));
  }

  #put(key: string, value: string, lease: string): KvOp {
    return { type: 'put', key: this.#key(key), value, ...(lease === NO_LEASE ? {} : { lease }) };
  }

  async #inChunks<T>(
    items: readonly T[],
    bytesOf: (item: T) => number,
    keyOf: (item: T) => string,
    run: (chunk: readonly T[]) => Promise<void>,
  ): Promise<SinkFailures> {
    const failures = new Map<string, unknown>();
    const attempt = async (chunk: readonly T[]): Promise<void> => {
      try {
        await run(chunk);
      } catch (error) {
        const half = Math.ceil(chunk.length / 2);
        if (isCoded(error, KV_TOO_LARGE) && chunk.length > 1) {
          await attempt(chunk.slice(0, half));
          await attempt(chunk.slice(half));
        } else for (const item of chunk) failures.set(keyOf(item), error);
      }
    };
    await Promise.all(chunks(items, bytesOf, LIMITS).map(attempt));
    if (failures.size > 0) this.#options.onFailures?.(failures.size, [...failures.values()].at(-1));
    return failures;
  }
}

function holds(result: KvOpResult | undefined, value: string, lease: string): boolean {
  const entry: KvEntry | undefined = result?.type === 'get' ? result.entry : undefined;
  return entry !== undefined && entry.lease === lease && Buffer.from(value).equals(entry.value);
}
