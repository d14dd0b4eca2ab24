import type { Cancel, Clock } from '@isthmus/core';
import type { Negotiated } from '../capability/negotiated.ts';
import type { RoutedFamily } from '../family/routed-family.ts';
import { CEASE, CODE, type SessionEnd } from './session-end.ts';

/** How long a peer that is back may take to send all its routes, in milliseconds: three times what GoBGP and FRR take as restart time. */
const STALE_PATH_MS = 360_000;

/** What the helper of a restarting peer does to the table. */
export interface StaleRoutes {
  /** Routes of the peer that are stale go; of all families when none is given. */
  sweep(family?: RoutedFamily): void;
}

/**
 * Whether a peer's routes stay after this end: RFC 4724 §4.2, and RFC 8538 §4 where both sides have the N bit. What broke the protocol, and
 * what an operator ended, takes its routes along.
 */
export function keepsRoutes(end: SessionEnd, negotiated: Negotiated): boolean {
  const restart = negotiated.gracefulRestart;
  if (restart === undefined || restart.families.length === 0) return false;
  if (end.kind === 'lost') return true;
  if (!restart.notification) return false;
  if (end.kind === 'told') return !(end.code === CODE.cease && end.subcode === CEASE.hardReset);
  return end.kind === 'failed' && end.error.code === CODE.holdExpired;
}

/** The helper's side of graceful restart for one peer, RFC 4724 §4.2: which families are stale, and when they go. */
export class KeptRoutes {
  readonly #clock: Clock;
  readonly #routes: StaleRoutes;
  #families = new Set<RoutedFamily>();
  #timer: Cancel | undefined;

  constructor(clock: Clock, routes: StaleRoutes) {
    this.#clock = clock;
    this.#routes = routes;
  }

  /** Families whose routes are stale, for people. */
  get families(): readonly RoutedFamily[] {
    return [...this.#families];
  }

  /** The session ended and the table marked all of its routes stale. Those of families that the peer does not preserve go at once. */
  keep(negotiated: Negotiated): void {
    const { families = [], restartTime = 0 } = negotiated.gracefulRestart ?? {};
    const preserved = families.map(({ family }) => family);
    for (const family of negotiated.families) if (!preserved.includes(family)) this.#routes.sweep(family);
    this.#families = new Set(preserved);
    this.#sweepAfter(restartTime * 1000);
  }

  /** The session is back: what the peer did not keep forwarding goes, the rest waits for its End-of-RIB. */
  back(negotiated: Negotiated): void {
    if (this.#families.size === 0) return;
    const forwarding = (negotiated.gracefulRestart?.families ?? []).filter(({ forwarding }) => forwarding).map(({ family }) => family);
    for (const family of this.#families) if (!forwarding.includes(family)) this.endOfRib(family);
    if (this.#families.size > 0) this.#sweepAfter(STALE_PATH_MS);
  }

  /** The peer sent all its routes of a family again. */
  endOfRib(family: RoutedFamily): void {
    if (!this.#families.delete(family)) return;
    if (this.#families.size === 0) this.#stopTimer();
    this.#routes.sweep(family);
  }

  /** The session is gone for good, or its routes are. */
  forget(): void {
    this.#stopTimer();
    this.#families.clear();
  }

  #sweepAfter(ms: number): void {
    this.#stopTimer();
    this.#timer = this.#clock.after(ms, () => {
      this.#families.clear();
      this.#routes.sweep();
    });
  }

  #stopTimer(): void {
    this.#timer?.();
    this.#timer = undefined;
  }
}
