import type { Clock, Log, Random } from '@isthmus/core';
import { KvResources, type KvStore } from '@isthmus/kvstore';
import { FencedKv } from './leader/fenced-kv.ts';
import { LeaderElection, type LeaderTerm } from './leader/leader-election.ts';
import { LeaderDuties } from './leader-duties.ts';
import type { OperatorSettings } from './settings.ts';
import type { OperatorMetrics } from './status/operator-metrics.ts';

/** What an {@link Operator} works with. */
export interface OperatorOptions {
  kv: KvStore;
  settings: OperatorSettings;
  /** Name among the operators of this cluster. */
  candidate: string;
  clock: Clock;
  random: Random;
  newUid(): string;
  yieldToLoop(): Promise<void>;
  log: Log;
  metrics: OperatorMetrics;
}

/** One operator process: stands for election, and does the leader's duties while elected. Stopping it changes nothing outside but the lead. */
export class Operator {
  readonly #options: OperatorOptions;
  readonly #election: LeaderElection;
  #duties: LeaderDuties | undefined;

  constructor(options: OperatorOptions) {
    const { kv, clock, random, candidate, log, settings, metrics } = options;
    this.#options = options;
    const onLeader = (leads: boolean): void => metrics.leading(leads);
    metrics.tables(() => this.#duties?.tables() ?? []);
    this.#election = new LeaderElection({ kv, clock, random, candidate, leaseSeconds: settings.leaseSeconds, log, onLeader });
  }

  /** Runs until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#election.run((term) => this.#lead(term), signal);
  }

  /** Why this process cannot do its work now; undefined when it can, leading or not. */
  notReady(): string | undefined {
    if (!this.#election.connected) return 'the cluster etcd cannot be read';
    return this.#duties && !this.#duties.synced ? 'the first listing is not in yet' : undefined;
  }

  async #lead(term: LeaderTerm): Promise<void> {
    const { newUid, ...options } = this.#options;
    const kv = new FencedKv(options.kv, term);
    const resources = new KvResources({ kv, clock: options.clock, random: options.random, newUid });
    this.#duties = new LeaderDuties({ ...options, kv, resources });
    try {
      await this.#duties.run(term.signal);
    } finally {
      this.#duties = undefined;
    }
  }
}
