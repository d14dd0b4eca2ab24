import { messageOf } from '@isthmus/core';
import type { PairExchange } from './pair-exchange.ts';
import type { PairKeys, PairSecrets } from './pair-secrets.ts';

/** At once: a mesh of a thousand nodes is not to be asked all together. Most of the time it is waited until the other node has looked at its peers. */
const AT_ONCE = 16;

/** A pair that is to agree. */
export interface WantedAgreement extends PairKeys {
  /** `<cluster>/<node>` */
  readonly peer: string;
}

/** Asks peers to agree on preshared keys, some at a time. Who asks again while an attempt is under way, or waits for its turn, asks in vain. */
export class PairAgreements {
  readonly #secrets: PairSecrets;
  readonly #exchange: PairExchange;
  readonly #settled: () => void;
  readonly #wanted = new Map<string, WantedAgreement>();
  readonly #failures = new Map<string, string>();
  #running = 0;

  /** @param settled told when there is one more preshared key */
  constructor(secrets: PairSecrets, exchange: PairExchange, settled: () => void) {
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
      if (this.#running === AT_ONCE) return;
      if (left-- <= 0) this.#start(pair, wanted);
    }
  }

  #start(pair: string, wanted: WantedAgreement): void {
    this.#running++;
    void this.#attempt(wanted).finally(() => {
      this.#running--;
      this.#wanted.delete(pair);
      this.#next();
    });
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
