import type { Cancel, Clock } from '@isthmus/core';
import type { Negotiated } from '../capability/negotiated.ts';
import type { RoutedFamily } from '../family/routed-family.ts';

/** Selection_Deferral_Timer of RFC 4724 §4.1, in milliseconds: well within the time that peers keep routes of a speaker that is back. */
export const SELECTION_DEFERRAL_MS = 30_000;

/** A peer as the deferral looks at it. */
export interface DeferralPeer {
  /** Graceful restart is offered to it. */
  readonly restartable: boolean;
  /** Undefined while there is no session. */
  readonly negotiated: Negotiated | undefined;
  /** Families of which it has sent everything. */
  readonly complete: readonly RoutedFamily[];
}

/**
 * How long a speaker that is back from a restart passes on nothing that it learns: until all peers that keep its routes have sent theirs, or the
 * timer is over. Once, and for all families together.
 */
export class SelectionDeferral {
  readonly #clock: Clock;
  #onEnd: (() => void) | undefined;
  #cancel: Cancel | undefined;

  /** @param onEnd called once, unless {@link stop} comes first */
  constructor(clock: Clock, onEnd: () => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  /** The time runs from now on. */
  start(): void {
    if (this.#onEnd !== undefined) this.#cancel = this.#clock.after(SELECTION_DEFERRAL_MS, () => this.#end());
  }

  /** Ends it when nothing more is waited for. To be called when a session came up, or when a peer sent an End-of-RIB or went. */
  check(peers: readonly DeferralPeer[]): void {
    if (this.#onEnd !== undefined && !peers.some(isAwaited)) this.#end();
  }

  /** Waits no more, and tells nobody. */
  stop(): void {
    this.#onEnd = undefined;
    this.#cancel?.();
  }

  #end(): void {
    const onEnd = this.#onEnd;
    this.stop();
    onEnd?.();
  }
}

/** RFC 4724 §4.1 leaves out peers without graceful restart, and those that restart themselves: both would wait for each other. */
function isAwaited({ restartable, negotiated, complete }: DeferralPeer): boolean {
  if (!restartable) return false;
  if (negotiated === undefined) return true;
  const { families, gracefulRestart } = negotiated;
  if (gracefulRestart === undefined || gracefulRestart.restarting) return false;
  return families.some((family) => !complete.includes(family));
}
