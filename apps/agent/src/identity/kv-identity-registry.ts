import type { CreateOutcome, IdentityRegistry } from '@isthmus/identity';
import type { KvStore } from '@isthmus/kvstore';
import { identityKey } from '@isthmus/mesh';

/** Labels by their numbers. */
const ID_PREFIX = identityKey(0).slice(0, -1);
/** Numbers by their labels: beside Cilium's own keys, which remote readers do not look at. */
const VALUE_PREFIX = 'cilium/state/identities/v1/value/';
/** Numbers that rest for an hour after their last use; the operator puts them there, under a lease. */
const RETIRED_PREFIX = 'isthmus/identities/retired/';

/**
 * The cluster's identities in its etcd. A number and its labels are always put together, in one transaction. Every use of a number writes it
 * again: the operator, which collects only what did not change since it looked, then leaves it alone.
 */
export class KvIdentityRegistry implements IdentityRegistry {
  readonly #kv: KvStore;

  constructor(kv: KvStore) {
    this.#kv = kv;
  }

  async find(labels: string): Promise<number | undefined> {
    const index = await this.#kv.get(VALUE_PREFIX + labels);
    if (!index) return undefined;
    const id = Number(textOf(index.value));
    return (await this.#use(id, labels, index.modRevision)) ? id : undefined;
  }

  async labelsOf(id: number): Promise<string | undefined> {
    const entry = await this.#kv.get(identityKey(id));
    return entry && textOf(entry.value);
  }

  async create(id: number, labels: string): Promise<CreateOutcome> {
    const [key, index] = [identityKey(id), VALUE_PREFIX + labels];
    const result = await this.#kv.txn({
      compare: [key, index, `${RETIRED_PREFIX}${id}`].map((each) => ({ key: each, createRevision: 0 })),
      success: [
        { type: 'put', key, value: labels },
        { type: 'put', key: index, value: String(id) },
      ],
    });
    if (result.succeeded) return { outcome: 'created' };
    const winner = await this.find(labels);
    return winner === undefined ? { outcome: 'taken' } : { outcome: 'exists', id: winner };
  }

  async taken(): Promise<ReadonlySet<number>> {
    const taken = new Set<number>();
    // What comes to rest between the two listings is in one of them: the number is retired in the transaction that removes it.
    for (const prefix of [ID_PREFIX, RETIRED_PREFIX])
      for await (const { entries } of this.#kv.list(prefix)) for (const { key } of entries) taken.add(Number(key.slice(prefix.length)));
    return taken;
  }

  /** Writes the number again for these labels, unless it stands for others or the index moved. An index that points to others' goes. */
  async #use(id: number, labels: string, indexRevision: number): Promise<boolean> {
    const [key, index] = [identityKey(id), VALUE_PREFIX + labels];
    const indexSame = { key: index, modRevision: indexRevision };
    const put = { type: 'put' as const, key, value: labels };
    const again = await this.#kv.txn({ compare: [indexSame, { key, value: labels }], success: [put] });
    if (again.succeeded) return true;
    const missing = await this.#kv.txn({ compare: [indexSame, { key, createRevision: 0 }], success: [put] });
    if (missing.succeeded) return true;
    await this.#kv.txn({ compare: [indexSame, { key, op: '!=', value: labels }], success: [{ type: 'delete', key: index }] });
    return false;
  }
}

function textOf(value: Uint8Array): string {
  return Buffer.from(value).toString();
}
