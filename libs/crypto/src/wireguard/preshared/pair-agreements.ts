import { type Clock, messageOf } from '@isthmus/core';
import type { PairExchange } from './pair-exchange.ts';
import type { PairKeys, PairSecrets } from './pair-secrets.ts';

/** What a mesh of a thousand nodes is not to be asked all together. */
const AT_ONCE = 16;
/** Then the other side has not looked at its peers yet, which in a large mesh takes a second, and the next one has its turn. */
const TURN_MS = 50;
/** Which is waited for then: each is a connection. */
const MAX_WAITING = 128;

/** A pair that is to agree. */
export interface WantedAgreement extends PairKeys {
  /** `<cluster>/<node>` */
  readonly peer: string;
}

/**
 * Asks peers to agree on preshared keys, some at a time: {@link AT_ONCE} that something is computed for, and more that only wait. Who asks again while an attempt
 * is under way, or waits for its turn, asks in vain.
 */
export class PairAgreements {
  readonly #secrets: PairSecrets;
  readonly #exchange: PairExchange;
  readonly #settled: () => void;
  readonly #wanted = new Map<string, WantedAgreement>();
  readonly #failures = new Map<string, string>();
  readonly #clock: Pick<Clock, 'after'>;
  /** Attempts that have a turn, and those that are under way. */
  #busy = 0;
  #running = 0;

  /** @param settled told when there is one more preshared key */
  constructor(secrets: PairSecrets, exchange: PairExchange, clock: Pick<Clock, 'after'>, settled: () => void) {
    this.#clock = clock;
    this.#secrets = secrets;
    this.#exchange = exchange;
    this.#settled = settled;
  }

  /** Why the last attempt with a peer came to nothing; undefined when it did not. */
  failureOf(peer: string): string | undefined {
    return this.#failures.get(peer);
  }

  /** Begins, now or in its turn. */
  begin(wanted: WantedAgreement): void {
    const pair = `${wanted.epoch} ${wanted.ownKey} ${wanted.peerKey}`;
    if (this.#wanted.has(pair)) return;
    this.#wanted.set(pair, wanted);
    this.#next();
  }

  #next(): void {
    // Those that run came first.
    let left = this.#running;
    for (const [pair, wanted] of this.#wanted) {
      if (this.#busy === AT_ONCE || this.#running === MAX_WAITING) return;
      if (left-- <= 0) this.#start(pair, wanted);
    }
  }

  #start(pair: string, wanted: WantedAgreement): void {
    this.#running++;
    const end = this.#turn();
    void this.#attempt(wanted).finally(() => {
      this.#running--;
      this.#wanted.delete(pair);
      end();
    });
  }

  /** A turn ends after a while by itself. @returns what ends it, and has the next one begin */
  #turn(): () => void {
    this.#busy++;
    let isBusy = true;
    const end = (): void => {
      if (isBusy) this.#busy--;
      isBusy = false;
      cancel();
      this.#next();
    };
    const cancel = this.#clock.after(TURN_MS, end);
    return end;
  }

  async #attempt({ peer, ...keys }: WantedAgreement): Promise<void> {
    try {
      const { request, confirm } = this.#secrets.propose(keys);
      await confirm(await this.#exchange.ask(peer, request));
      this.#failures.delete(peer);
      this.#settled();
    } catch (error) {
      this.#failures.set(peer, messageOf(error));
    }
  }
}
