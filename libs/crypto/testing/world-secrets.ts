import type { Random } from '@isthmus/core';
import type { Epoch } from '../src/wireguard/epoch.ts';
import type { RotationAction } from '../src/wireguard/rotation/rotation-action.ts';
import type { SecretsView } from '../src/wireguard/rotation/rotation-view.ts';

/** Longest that an exchange takes each way. */
const WAY_MS = 300;

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

  /** The lower node asks the higher one, which makes a preshared key once. An answer is of use only to the agent that asked. */
  ask(from: Side, to: Side, action: Extract<RotationAction, { do: 'agree' }>, now: number, isSameAgent: () => boolean): void {
    const { epoch, publicKey } = action;
    const ownKey = from.keys.get(epoch)!;
    const arrives = now + WAY_MS * this.#random();
    const request = (): void => {
      const isKnown = !to.isDown && to.secrets.mode !== 'off' && to.keys.get(epoch) === publicKey;
      if (!isKnown || this.#loses('request')) return;
      const psk = to.secrets.get(epoch, ownKey) ?? this.#serial++;
      to.secrets.save(epoch, ownKey, psk);
      if (this.#loses('answer')) return;
      this.#events.push({ at: arrives + WAY_MS * this.#random(), run: () => isSameAgent() && from.secrets.save(epoch, publicKey, psk) });
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
