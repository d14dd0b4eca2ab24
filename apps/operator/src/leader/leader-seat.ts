import { type Clock, Notifier, type Random } from '@isthmus/core';
import { type KvStore, mirrorPrefix } from '@isthmus/kvstore';

/** Leased key that the leading operator holds. Its value says who that is, for people. */
export const LEADER_KEY = 'isthmus/leases/operator';

/** Whether the leader's key is held, as far as the store has told. */
export class LeaderSeat {
  /** Wakes on every change. */
  readonly changed = new Notifier();
  #held = false;
  #changedAt = 0;
  #connected = false;

  /** True while the store can be read. */
  get connected(): boolean {
    return this.#connected;
  }

  /** True when the key has been read and nobody holds it. */
  get vacant(): boolean {
    return this.#connected && !this.#held;
  }

  /** True when the key was written again, or removed, after `revision`. */
  changedSince(revision: number): boolean {
    return this.#changedAt > revision;
  }

  /** Follows the key until the signal aborts. */
  async follow(kv: KvStore, clock: Clock, random: Random, signal: AbortSignal): Promise<void> {
    await mirrorPrefix(kv, {
      prefix: LEADER_KEY,
      clock,
      random,
      signal,
      onBatch: (changes) => {
        for (const { key, value, revision } of changes) if (key === LEADER_KEY) this.#set(value !== undefined, revision);
      },
      onSynced: () => this.#connect(true),
      onDisconnected: () => this.#connect(false),
    });
  }

  #set(held: boolean, revision: number): void {
    this.#held = held;
    this.#changedAt = revision;
    this.changed.notify();
  }

  #connect(connected: boolean): void {
    this.#connected = connected;
    this.changed.notify();
  }
}
