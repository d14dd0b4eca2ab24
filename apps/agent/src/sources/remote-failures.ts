import type { Clock } from '@isthmus/core';
import type { RemoteState } from '@isthmus/mesh';

/** How often a remote cluster fell out of order. */
export interface RemoteFailure {
  readonly failures: number;
  /** Milliseconds since 1970; 0 if never. */
  readonly lastFailure: number;
}

const NEVER: RemoteFailure = { failures: 0, lastFailure: 0 };

/** Counts for each remote cluster how often it became degraded or failed, since the process started. */
export class RemoteFailures {
  readonly #clock: Clock;
  readonly #counts = new Map<string, RemoteFailure>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Called for every step of a cluster's state. */
  moved(cluster: string, to: RemoteState): void {
    if (to !== 'degraded' && to !== 'failed') return;
    this.#counts.set(cluster, { failures: this.of(cluster).failures + 1, lastFailure: this.#clock.wall() });
  }

  of(cluster: string): RemoteFailure {
    return this.#counts.get(cluster) ?? NEVER;
  }
}
