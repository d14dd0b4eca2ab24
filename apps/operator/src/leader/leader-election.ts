import { Backoff, type Clock, CodedError, delay, LOG, type Log, type Random } from '@isthmus/core';
import type { KvLease, KvStore } from '@isthmus/kvstore';
import { OPERATOR_NOT_LEADER } from '../operator.errors.ts';
import { LEADER_KEY, LeaderSeat } from './leader-seat.ts';

/** The time from becoming leader to not being it any more. */
export interface LeaderTerm {
  /** Revision at which the leader's key was written: who writes under this term checks it. */
  readonly revision: number;
  /** Aborts when the lease is lost, the key was taken away, or the process stops. Nothing may be written after. */
  readonly signal: AbortSignal;
}

/** What an election works with. */
export interface LeaderElectionOptions {
  kv: KvStore;
  clock: Clock;
  random: Random;
  /** Name of this candidate, for people: host and process. */
  candidate: string;
  /** How long a silent leader keeps its place. */
  leaseSeconds: number;
  log: Log;
  onLeader(leading: boolean): void;
}

const RETRY = { minMs: 200, maxMs: 5_000 };

/**
 * One leader among all operators of a cluster: whoever holds {@link LEADER_KEY}, which lives on a lease. The lease counts as lost on the own
 * monotonic clock before it runs out on the server, so that two never lead at once; writes are fenced besides (see `FencedKv`).
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #seat = new LeaderSeat();

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
  }

  /** True while it is known whether somebody leads. */
  get connected(): boolean {
    return this.#seat.connected;
  }

  /** Stands for election until the signal aborts; while elected, `lead` runs. It must end soon after its term's signal aborts. */
  async run(lead: (term: LeaderTerm) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { kv, clock, random } = this.#options;
    const following = this.#seat.follow(kv, clock, random, signal);
    const backoff = new Backoff(RETRY, random);
    while (!signal.aborted) {
      try {
        await this.#seat.changed.until(() => this.#seat.vacant, signal);
        if (await this.#stand(lead, signal)) backoff.reset();
      } catch (error) {
        if (!signal.aborted) this.#options.log.warn({ [LOG.error]: error }, 'not elected');
      }
      await delay(clock, backoff.next(), signal).catch(() => undefined); // rejects only by abort
    }
    await following;
  }

  /** @returns false when another was faster */
  async #stand(lead: (term: LeaderTerm) => Promise<void>, signal: AbortSignal): Promise<boolean> {
    const lease = await this.#options.kv.grantLease(this.#options.leaseSeconds, { signal });
    try {
      const revision = await this.#take(lease);
      if (revision === undefined) return false;
      await this.#lead(lead, revision, lease, signal);
      return true;
    } finally {
      await this.#release(lease);
    }
  }

  async #take(lease: KvLease): Promise<number | undefined> {
    const { kv, candidate, clock } = this.#options;
    const value = JSON.stringify({ holder: candidate, since: new Date(clock.wall()).toISOString() });
    const { succeeded, revision } = await kv.txn({
      compare: [{ key: LEADER_KEY, createRevision: 0 }],
      success: [{ type: 'put', key: LEADER_KEY, value, lease: lease.id }],
    });
    return succeeded ? revision : undefined;
  }

  async #lead(lead: (term: LeaderTerm) => Promise<void>, revision: number, lease: KvLease, signal: AbortSignal): Promise<void> {
    const { log, candidate, onLeader } = this.#options;
    const overtaken = new AbortController();
    const look = (): void => {
      if (this.#seat.changedSince(revision)) overtaken.abort(new CodedError(OPERATOR_NOT_LEADER, `${LEADER_KEY} was taken away`));
    };
    const stopListening = this.#seat.changed.listen(look);
    look();
    const term = { revision, signal: AbortSignal.any([signal, lease.lost, overtaken.signal]) };
    log.info({ [LOG.candidate]: candidate }, 'leading');
    onLeader(true);
    try {
      await lead(term);
    } finally {
      stopListening();
      onLeader(false);
      log.info({ [LOG.candidate]: candidate, ...(term.signal.aborted && { [LOG.error]: term.signal.reason }) }, 'not leading any more');
    }
  }

  /** Lets the next leader begin at once. When that fails, the lease runs out by itself. */
  async #release(lease: KvLease): Promise<void> {
    try {
      await lease.revoke();
    } catch (error) {
      this.#options.log.warn({ [LOG.error]: error }, 'the leader’s lease could not be given back; it runs out by itself');
    }
  }
}
