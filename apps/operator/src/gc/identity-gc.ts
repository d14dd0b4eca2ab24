import { type Clock, CodedError, LOG, type Log } from '@isthmus/core';
import type { KvCompare, KvEntry, KvLease, KvOp, KvStore } from '@isthmus/kvstore';
import { type IdentityRange, inIdentityRange } from '@isthmus/mesh';
import { IDENTITY_GC_BLOCKED } from '../operator.errors.ts';
import { IDENTITY_PREFIX, IP_PREFIX, LABELS_PREFIX, RETIRED_PREFIX, RETIRED_SECONDS } from './identity-keys.ts';
import { TwoPassSweep, type Unused } from './two-pass-sweep.ts';

/** What {@link IdentityGc} works with. */
export interface IdentityGcOptions {
  kv: KvStore;
  /** Identities that this cluster gives; others are not touched. */
  range: IdentityRange;
  clock: Clock;
  log: Log;
}

/** Outcome of a pass. */
export interface IdentityGcResult {
  readonly alive: number;
  readonly deleted: number;
}

/** An identity that no address has. */
interface UnusedIdentity extends Unused {
  readonly id: number;
  readonly labels: string;
}

/**
 * Removes identities that no address has had for two passes, with their label index, in one transaction that fails if anybody wrote the
 * identity in between. The number rests for an hour: a leased key under {@link RETIRED_PREFIX} says so to allocators.
 */
export class IdentityGc {
  readonly #options: IdentityGcOptions;
  readonly #sweep = new TwoPassSweep();

  constructor(options: IdentityGcOptions) {
    this.#options = options;
  }

  /** One pass. */
  async pass(): Promise<IdentityGcResult> {
    // Identities before addresses: one that was allocated after its listing is not seen at all, one that is in use is seen used.
    const identities = await this.#identities();
    const used = await this.#usedIds();
    const ripe = this.#sweep.pass(identities.filter(({ id }) => !used.has(id)));
    let deleted = 0;
    if (ripe.length > 0) {
      const lease = await this.#restingLease();
      for (const identity of ripe) if (await this.#retire(identity, lease)) deleted++;
    }
    return { alive: identities.length - deleted, deleted };
  }

  async #identities(): Promise<UnusedIdentity[]> {
    const found: UnusedIdentity[] = [];
    for await (const { entries } of this.#options.kv.list(IDENTITY_PREFIX))
      for (const { key, value, modRevision } of entries) {
        const id = Number(key.slice(IDENTITY_PREFIX.length));
        if (inIdentityRange(id, this.#options.range)) found.push({ key, modRevision, id, labels: Buffer.from(value).toString() });
      }
    return found;
  }

  async #usedIds(): Promise<Set<number>> {
    const used = new Set<number>();
    for await (const { entries } of this.#options.kv.list(IP_PREFIX)) for (const entry of entries) used.add(identityOf(entry));
    return used;
  }

  async #retire({ key, modRevision, id, labels }: UnusedIdentity, lease: KvLease): Promise<boolean> {
    const { kv, log } = this.#options;
    const compare: KvCompare[] = [{ key, modRevision }];
    const success: KvOp[] = [
      { type: 'delete', key },
      { type: 'put', key: RETIRED_PREFIX + id, value: labels, lease: lease.id },
    ];
    const index = await kv.get(LABELS_PREFIX + labels);
    // An index that leads to another number is that number's.
    if (index && Buffer.from(index.value).toString() === String(id)) {
      compare.push({ key: index.key, modRevision: index.modRevision });
      success.push({ type: 'delete', key: index.key });
    }
    const { succeeded } = await kv.txn({ compare, success });
    if (succeeded) log.info({ [LOG.identity]: id, [LOG.labels]: labels }, 'removed an identity that nothing uses');
    return succeeded;
  }

  /** One lease for all that a pass retires. It is kept alive by its grant, so it is ended here; when this process dies it ends by itself. */
  async #restingLease(): Promise<KvLease> {
    const { kv, clock, log } = this.#options;
    const lease = await kv.grantLease(RETIRED_SECONDS);
    const cancel = clock.after(RETIRED_SECONDS * 1000, () => {
      lease.revoke().catch((error: unknown) => log.warn({ [LOG.error]: error }, 'resting identities become free later'));
    });
    lease.lost.addEventListener('abort', cancel, { once: true });
    return lease;
  }
}

/** The identity that an address's record names. One that cannot be read stops the pass: it might name any. */
function identityOf({ key, value }: KvEntry): number {
  let id: unknown;
  try {
    id = (JSON.parse(Buffer.from(value).toString()) as { ID?: unknown } | null)?.ID;
  } catch (cause) {
    throw new CodedError(IDENTITY_GC_BLOCKED, `${key} is no JSON`, { object: key, cause });
  }
  if (typeof id !== 'number') throw new CodedError(IDENTITY_GC_BLOCKED, `${key} names no identity`, { object: key });
  return id;
}
