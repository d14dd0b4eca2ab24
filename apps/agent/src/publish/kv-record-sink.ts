import { type FoundEntry, LOCAL_SCOPE, type SinkFailures, type SinkRow, type SinkTarget } from '@isthmus/core';
import type { KvStore } from '@isthmus/kvstore';

/** Writes that are under way at once. */
const IN_FLIGHT = 64;

/** How rows become keys of an etcd. */
export interface KvRecordCodec<V> {
  key(rowKey: string): string;
  value(rowKey: string, row: V): string;
  /** Prefix under which this process's own keys lie, perhaps among others'. */
  prefix: string;
  /** The row key of an entry that this process once wrote; undefined for all others. */
  own(etcdKey: string, value: Uint8Array): string | undefined;
}

/** Makes keys of an etcd equal to a table. Entries of others under the same prefix are left alone. */
export class KvRecordSink<V> implements SinkTarget<V> {
  readonly #kv: KvStore;
  readonly #codec: KvRecordCodec<V>;

  constructor(kv: KvStore, codec: KvRecordCodec<V>) {
    this.#kv = kv;
    this.#codec = codec;
  }

  update(rows: readonly SinkRow<V>[]): Promise<SinkFailures> {
    return each(
      rows,
      ({ key }) => key,
      async ({ key, row }) => {
        const [etcdKey, value] = [this.#codec.key(key), this.#codec.value(key, row)];
        // A rewrite of the same bytes would wake every reader in the mesh for nothing.
        const there = await this.#kv.get(etcdKey);
        if (!there || Buffer.from(there.value).toString() !== value) await this.#kv.put(etcdKey, value);
      },
    );
  }

  delete(keys: readonly string[]): Promise<SinkFailures> {
    return each(
      keys,
      (key) => key,
      async (key) => {
        const etcdKey = this.#codec.key(key);
        const there = await this.#kv.get(etcdKey);
        // Between our pod's end and now the address may have become somebody else's.
        if (!there || this.#codec.own(etcdKey, there.value) === undefined) return;
        await this.#kv.txn({
          compare: [{ key: etcdKey, modRevision: there.modRevision }],
          success: [{ type: 'delete', key: etcdKey }],
        });
      },
    );
  }

  async *entries(): AsyncGenerator<FoundEntry[]> {
    for await (const page of this.#kv.list(this.#codec.prefix)) {
      yield page.entries.flatMap(({ key, value }) => {
        const own = this.#codec.own(key, value);
        return own === undefined ? [] : [{ key: own, scope: LOCAL_SCOPE }];
      });
    }
  }
}

async function each<T>(items: readonly T[], keyOf: (item: T) => string, fn: (item: T) => Promise<void>): Promise<SinkFailures> {
  const failures = new Map<string, unknown>();
  for (let from = 0; from < items.length; from += IN_FLIGHT) {
    const slice = items.slice(from, from + IN_FLIGHT);
    await Promise.all(slice.map((item) => fn(item).catch((error: unknown) => failures.set(keyOf(item), error))));
  }
  return failures;
}
