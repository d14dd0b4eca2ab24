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
  /** Those of a family are kept on, as a last resort. */
  keepLongLived(family: RoutedFamily): void;
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
  /** Seconds that a family is kept after the restart time, RFC 9494. */
  #longLived = new Map<RoutedFamily, number>();
  readonly #longTimers = new Map<RoutedFamily, Cancel>();

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
    this.#longLived = longLivedOf(negotiated, preserved);
    this.#after(restartTime * 1000, () => this.#restartTimeOver());
  }

  /** The session is back: what the peer did not keep forwarding goes, the rest waits for its End-of-RIB. */
  back(negotiated: Negotiated): void {
    if (this.#families.size === 0) return;
    const forwarding = (negotiated.gracefulRestart?.families ?? []).filter(({ forwarding }) => forwarding).map(({ family }) => family);
    for (const family of this.#families) if (!forwarding.includes(family)) this.endOfRib(family);
    if (this.#families.size > 0) this.#after(STALE_PATH_MS, () => this.#sweepAll());
  }

  /** The peer sent all its routes of a family again. */
  endOfRib(family: RoutedFamily): void {
    if (!this.#families.delete(family)) return;
    this.#stopLongTimer(family);
    if (this.#families.size === 0) this.#stopTimer();
    this.#routes.sweep(family);
  }

  /** The session is gone for good, or its routes are. */
  forget(): void {
    this.#stopTimer();
    for (const family of this.#families) this.#stopLongTimer(family);
    this.#families.clear();
  }

  #restartTimeOver(): void {
    if (this.#longLived.size === 0) {
      this.#sweepAll();
      return;
    }
    for (const family of this.#families) {
      const seconds = this.#longLived.get(family);
      if (seconds === undefined) this.endOfRib(family);
      else {
        this.#routes.keepLongLived(family);
        this.#longTimers.set(
          family,
          this.#clock.after(seconds * 1000, () => this.endOfRib(family)),
        );
      }
    }
  }

  #sweepAll(): void {
    this.forget();
    this.#routes.sweep();
  }

  #after(ms: number, run: () => void): void {
    this.#stopTimer();
    this.#timer = this.#clock.after(ms, run);
  }

  #stopLongTimer(family: RoutedFamily): void {
    this.#longTimers.get(family)?.();
    this.#longTimers.delete(family);
  }

  #stopTimer(): void {
    this.#timer?.();
    this.#timer = undefined;
  }
}

/** Of the preserved families those that the peer keeps for longer. */
function longLivedOf({ longLived = [] }: Negotiated, preserved: readonly RoutedFamily[]): Map<RoutedFamily, number> {
  const kept = longLived.filter(({ family, seconds }) => preserved.includes(family) && seconds > 0);
  return new Map(kept.map(({ family, seconds }) => [family, seconds]));
}
