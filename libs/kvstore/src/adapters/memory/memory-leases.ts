import { type Cancel, type Clock, CodedError } from '@isthmus/core';
import { KV_LEASE_LOST } from '../../kv-errors.ts';

interface Granted {
  ttlSeconds: number;
  cancel: Cancel;
}

/** The server's side of leases: each runs out by itself unless it is renewed. */
export class MemoryLeases {
  readonly #clock: Clock;
  readonly #onExpired: (id: string) => void;
  readonly #leases = new Map<string, Granted>();
  #nextId = 7_000_000_000_000_000_001n; // beyond 2^53, as real ids are

  constructor(clock: Clock, onExpired: (id: string) => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
  }

  grant(ttlSeconds: number): string {
    const id = String(this.#nextId++);
    this.#start(id, ttlSeconds);
    return id;
  }

  /** Seconds granted anew; 0 when there is no such lease. */
  renew(id: string): number {
    const lease = this.#leases.get(id);
    if (!lease) return 0;
    lease.cancel();
    this.#start(id, lease.ttlSeconds);
    return lease.ttlSeconds;
  }

  /** Ends a lease at once, as revoking and running out do. */
  expire(id: string): void {
    const lease = this.#leases.get(id);
    if (!lease) return;
    lease.cancel();
    this.#leases.delete(id);
    this.#onExpired(id);
  }

  /** @throws CodedError KV_LEASE_LOST when there is no such lease */
  check(id: string): void {
    if (id !== '0' && !this.#leases.has(id)) throw new CodedError(KV_LEASE_LOST, `lease ${id} is not found`, { object: id });
  }

  /** Forgets all leases without deleting their keys: what a wiped server does. */
  clear(): void {
    for (const { cancel } of this.#leases.values()) cancel();
    this.#leases.clear();
  }

  #start(id: string, ttlSeconds: number): void {
    this.#leases.set(id, { ttlSeconds, cancel: this.#clock.after(ttlSeconds * 1000, () => this.expire(id)) });
  }
}
