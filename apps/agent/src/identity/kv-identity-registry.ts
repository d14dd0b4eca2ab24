import type { CreateOutcome, IdentityRegistry } from '@isthmus/identity';
import type { KvStore } from '@isthmus/kvstore';
import { identityKey } from '@isthmus/mesh';

/** Numbers by their labels: beside Cilium's own keys, which remote readers do not look at. */
const VALUE_PREFIX = 'cilium/state/identities/v1/value/';
/** Numbers that rest for an hour after their last use; the operator puts them there, under a lease. */
const RETIRED_PREFIX = 'isthmus/identities/retired/';

/** The cluster's identities in its etcd. A number and its labels are always put together, in one transaction. */
export class KvIdentityRegistry implements IdentityRegistry {
  readonly #kv: KvStore;

  constructor(kv: KvStore) {
    this.#kv = kv;
  }

  async find(labels: string): Promise<number | undefined> {
    const entry = await this.#kv.get(VALUE_PREFIX + labels);
    return entry && Number(Buffer.from(entry.value).toString());
  }

  async labelsOf(id: number): Promise<string | undefined> {
    const entry = await this.#kv.get(identityKey(id));
    return entry && Buffer.from(entry.value).toString();
  }

  async create(id: number, labels: string): Promise<CreateOutcome> {
    const [key, index] = [identityKey(id), VALUE_PREFIX + labels];
    const result = await this.#kv.txn({
      compare: [key, index, `${RETIRED_PREFIX}${id}`].map((each) => ({ key: each, createRevision: 0 })),
      success: [
        { type: 'put', key, value: labels },
        { type: 'put', key: index, value: String(id) },
      ],
      failure: [{ type: 'get', key: index }],
    });
    if (result.succeeded) return { outcome: 'created' };
    const [winner] = result.results;
    if (winner?.type !== 'get' || !winner.entry) return { outcome: 'taken' };
    return { outcome: 'exists', id: Number(Buffer.from(winner.entry.value).toString()) };
  }
}
