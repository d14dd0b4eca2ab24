import type { Random } from '@isthmus/core';
import type { Epoch } from '../src/wireguard/epoch.ts';
import type { RotationAction } from '../src/wireguard/rotation/rotation-action.ts';
import type { SecretsView } from '../src/wireguard/rotation/rotation-view.ts';

/** Longest that an exchange takes each way. */
const WAY_MS = 300;
/** Longest that an answer waits for the peer that asked to be installed; and how often it is looked for. */
const INSTALL_WAIT_MS = 2_000;
const LOOK_MS = 50;

/** A node's preshared keys in memory that a crash of its agent leaves, which stands for files. */
export class WorldSecrets {
  /** Whether the node agrees on any. */
  mode: 'off' | 'preferred' | 'required';
  readonly #psks = new Map<string, number>();

  constructor(mode: 'off' | 'preferred' | 'required') {
    this.mode = mode;
  }

  /** What the node decides by. */
  view(keys: ReadonlyMap<Epoch, string>): SecretsView | undefined {
    if (this.mode === 'off') return undefined;
    return {
      required: this.mode === 'required',
      kemKeyHashes: new Map([...keys].map(([epoch, key]) => [epoch, `kem of ${key}`])),
      agreed: (epoch, key) => this.#psks.has(pair(epoch, key)),
    };
  }

  /** The preshared key of a pair. */
  get(epoch: Epoch, key: string): number | undefined {
    return this.#psks.get(pair(epoch, key));
  }

  save(epoch: Epoch, key: string, psk: number): void {
    this.#psks.set(pair(epoch, key), psk);
  }

  /** The epoch has another key now, or none. */
  drop(epoch: Epoch): void {
    for (const each of [...this.#psks.keys()]) if (each.startsWith(`${epoch} `)) this.#psks.delete(each);
  }
}

interface Side {
  readonly secrets: WorldSecrets;
  readonly keys: ReadonlyMap<Epoch, string>;
  readonly isDown: boolean;
}

/** What an exchange depends on while it is under way. */
interface Parties {
  /** Whether the agent that asked is there still. */
  isSameAgent(): boolean;
  /** Whether the other node's device has the peer that asked. */
  isInstalled(): boolean;
}

/** Exchanges under way between nodes. */
export class WorldExchanges {
  readonly #random: Random;
  readonly #loses: (message: 'request' | 'answer') => boolean;
  readonly #events: { readonly at: number; readonly run: () => void }[] = [];
  #serial = 0;

  constructor(random: Random, loses: (message: 'request' | 'answer') => boolean) {
    this.#random = random;
    this.#loses = loses;
  }

  /**
   * The lower node asks the higher one, which makes a preshared key once, and answers when it has the other one as a peer, or after a while. An answer is of
   * use only to the agent that asked.
   */
  ask(from: Side, to: Side, action: Extract<RotationAction, { do: 'agree' }>, now: number, parties: Parties): void {
    const { epoch, publicKey } = action;
    const ownKey = from.keys.get(epoch)!;
    const arrives = now + WAY_MS * this.#random();
    const request = (): void => {
      const isKnown = !to.isDown && to.secrets.mode !== 'off' && to.keys.get(epoch) === publicKey;
      if (!isKnown || this.#loses('request')) return;
      const psk = to.secrets.get(epoch, ownKey) ?? this.#serial++;
      to.secrets.save(epoch, ownKey, psk);
      if (this.#loses('answer')) return;
      const last = arrives + INSTALL_WAIT_MS;
      const answer = (at: number): void => {
        if (at < last && !parties.isInstalled()) this.#events.push({ at: at + LOOK_MS, run: () => answer(at + LOOK_MS) });
        else if (parties.isSameAgent()) from.secrets.save(epoch, publicKey, psk);
      };
      const arrived = arrives + WAY_MS * this.#random();
      this.#events.push({ at: arrived, run: () => answer(arrived) });
    };
    this.#events.push({ at: arrives, run: request });
  }

  /** What is due by now happens. */
  run(now: number): void {
    const due = this.#events.filter(({ at }) => at <= now);
    this.#events.splice(0, this.#events.length, ...this.#events.filter(({ at }) => at > now));
    for (const { run } of due) run();
  }
}

function pair(epoch: Epoch, key: string): string {
  return `${epoch} ${key}`;
}
