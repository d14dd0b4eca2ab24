import type { KvLease, KvStore } from '@isthmus/kvstore';

/** The one lease behind everything that must vanish some time after this process did. Granted at first use, and again when it is lost. */
export class MeshLease {
  readonly #kv: Pick<KvStore, 'grantLease'>;
  readonly #ttlSeconds: number;
  readonly #onLost: () => void;
  #granting: Promise<KvLease> | undefined;
  #current: KvLease | undefined;

  /** @param onLost called when keys under the lease must be written again, under the next one */
  constructor(kv: Pick<KvStore, 'grantLease'>, ttlSeconds: number, onLost: () => void) {
    this.#kv = kv;
    this.#ttlSeconds = ttlSeconds;
    this.#onLost = onLost;
  }

  /** Id of the lease, which is granted first where there is none. @throws CodedError KV_UNREACHABLE, … */
  async id(): Promise<string> {
    this.#granting ??= this.#grant();
    return (await this.#granting).id;
  }

  /** The server says that it does not know this lease. */
  forget(id: string): void {
    if (this.#current?.id !== id) return;
    this.#current = undefined;
    this.#granting = undefined;
    this.#onLost();
  }

  async #grant(): Promise<KvLease> {
    try {
      const lease = await this.#kv.grantLease(this.#ttlSeconds);
      this.#current = lease;
      lease.lost.addEventListener('abort', () => this.forget(lease.id), { once: true });
      return lease;
    } catch (error) {
      this.#granting = undefined;
      throw error;
    }
  }
}
