import { Backoff, type Cancel, type Clock, CodedError, type Random } from '@isthmus/core';
import { KV_LEASE_LOST } from './kv-errors.ts';

/** What a {@link LeaseKeeper} works with. */
export interface LeaseKeeperOptions {
  /** Decimal id, for messages. */
  id: string;
  /** Granted time to live in seconds. */
  ttlSeconds: number;
  /** Monotonic time at which the grant was *sent*: the server may have started counting then. */
  sentAt: number;
  clock: Clock;
  random: Random;
  /** Asks the server once; resolves with the time to live in seconds, 0 when the server does not know the lease. */
  renew(signal: AbortSignal): Promise<number>;
}

/**
 * Keeps one lease alive and says at once when it can no longer be counted on. The deadline counts from the sending of the last
 * confirmed renewal, on the monotonic clock, so it passes here before it passes on the server.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #lost = new AbortController();
  readonly #stopped = new AbortController();
  readonly #retry: Backoff;
  #cancelDeadline: Cancel = () => undefined;
  #cancelNext: Cancel = () => undefined;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    const thirdMs = (options.ttlSeconds * 1000) / 3;
    this.#retry = new Backoff({ minMs: Math.min(250, thirdMs), maxMs: thirdMs / 2 }, options.random);
    this.#confirmed(options.sentAt, options.ttlSeconds);
  }

  /** Aborts with a `KV_LEASE_LOST`; never after {@link stop}. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Ends keeping without a word; the lease runs out on the server unless it is revoked. */
  stop(): void {
    this.#cancelDeadline();
    this.#cancelNext();
    this.#stopped.abort();
  }

  #confirmed(sentAt: number, ttlSeconds: number): void {
    const { clock } = this.#options;
    const ttlMs = ttlSeconds * 1000;
    this.#retry.reset();
    this.#cancelDeadline();
    this.#cancelDeadline = clock.after(sentAt + ttlMs - clock.now(), () => this.#lose('no renewal was confirmed within its time to live'));
    this.#schedule(sentAt + ttlMs / 3 - clock.now());
  }

  #schedule(inMs: number): void {
    this.#cancelNext = this.#options.clock.after(Math.max(0, inMs), () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const sentAt = this.#options.clock.now();
    const ttlSeconds = await this.#options.renew(this.#stopped.signal).catch(() => undefined); // the deadline speaks for all failures
    if (this.#stopped.signal.aborted) return;
    if (ttlSeconds === undefined) this.#schedule(this.#retry.next());
    else if (ttlSeconds <= 0) this.#lose('the server does not know it');
    else this.#confirmed(sentAt, ttlSeconds);
  }

  #lose(why: string): void {
    this.stop();
    const { id } = this.#options;
    this.#lost.abort(new CodedError(KV_LEASE_LOST, `lease ${id} is lost: ${why}`, { object: id }));
  }
}
