import { timingSafeEqual } from 'node:crypto';
import { CodedError } from '@isthmus/core';
import type { Epoch } from '../epoch.ts';
import { secretToBase64 } from '../secret-base64.ts';
import { WIREGUARD_KEM, WIREGUARD_PSK_DIFFERS } from '../wireguard.errors.ts';
import { encapsulateFor, KemKey } from './ml-kem.ts';
import type { PairRequest } from './pair-exchange.ts';
import { pairPsk, pskConfirmation } from './pair-psk.ts';

/** What is kept of an epoch: it ends with the epoch's keys. */
export interface StoredPairs {
  /** Of the node's KEM key; undefined: it has none. The reader clears it. */
  readonly seed: Buffer | undefined;
  /** Public keys of peers that there is a preshared key for. */
  readonly peers: ReadonlySet<string>;
}

/** Preshared keys on disk, where `wg` reads them, and the KEM keys that they are agreed on with. */
export interface PairSecretStore {
  load(): Promise<ReadonlyMap<Epoch, StoredPairs>>;
  saveSeed(epoch: Epoch, seed: Uint8Array): Promise<void>;
  /** @param text base64 */
  savePsk(epoch: Epoch, publicKey: string, text: Uint8Array): Promise<void>;
  file(epoch: Epoch, publicKey: string): string;
  /** Removes all of an epoch; nothing there is fine. */
  remove(epoch: Epoch): Promise<void>;
}

/** The two of a pair in an epoch: WireGuard's public keys. */
export interface PairKeys {
  readonly epoch: Epoch;
  readonly ownKey: string;
  readonly peerKey: string;
}

/** A secret that the other one does not know of yet. */
export interface Proposal {
  readonly request: PairRequest;
  /** Keeps the secret if the other one has the same. @throws CodedError WIREGUARD_PSK_DIFFERS */
  confirm(confirmation: Uint8Array): Promise<void>;
  /** Forgets it. */
  drop(): void;
}

interface Pairs {
  readonly key: KemKey | undefined;
  readonly agreed: Set<string>;
}

/**
 * A node's preshared keys: one for each pair and epoch, which never changes while it is in use. The lower node of a pair encapsulates a secret for the
 * higher one's KEM key, which stands in its record beside the WireGuard key of the epoch.
 */
export class PairSecrets {
  readonly #store: PairSecretStore;
  readonly #makesKeys: boolean;
  #epochs: Map<Epoch, Pairs> | undefined;

  /** @param makesKeys whether new ones are agreed on; those that there are stay in use in any case, because the other side has them */
  constructor(store: PairSecretStore, makesKeys: boolean) {
    this.#store = store;
    this.#makesKeys = makesKeys;
  }

  /** Has a KEM key of each of these epochs, and nothing of any other one. */
  async keep(epochs: readonly Epoch[]): Promise<void> {
    this.#epochs ??= await this.#load();
    for (const epoch of this.#epochs.keys()) if (!epochs.includes(epoch)) await this.drop(epoch);
    if (this.#makesKeys) for (const epoch of epochs) if (this.#epochs.get(epoch)?.key === undefined) await this.#makeKey(epoch);
  }

  /** Forgets an epoch. */
  async drop(epoch: Epoch): Promise<void> {
    await this.#store.remove(epoch);
    this.#epochs?.get(epoch)?.key?.wipe();
    this.#epochs?.delete(epoch);
  }

  /** What the node publishes: base64, by epoch. */
  kemKeys(): ReadonlyMap<Epoch, string> {
    const keys = [...(this.#epochs ?? [])].flatMap(([epoch, { key }]) => {
      return key === undefined || !this.#makesKeys ? [] : [[epoch, key.publicKey.toString('base64')] as const];
    });
    return new Map(keys);
  }

  /** Whether there is a preshared key for a peer's key of an epoch. */
  agreed(epoch: Epoch, publicKey: string): boolean {
    return this.#epochs?.get(epoch)?.agreed.has(publicKey) ?? false;
  }

  /** File with the preshared key, if there is one. */
  file(epoch: Epoch, publicKey: string): string | undefined {
    return this.agreed(epoch, publicKey) ? this.#store.file(epoch, publicKey) : undefined;
  }

  /** The lower node's part. @param kemKey the other one's, base64 @throws CodedError WIREGUARD_KEM */
  propose({ epoch, ownKey, peerKey }: PairKeys, kemKey: string): Proposal {
    const bytes = Buffer.from(kemKey, 'base64');
    const { ciphertext, secret } = encapsulateFor(bytes);
    const psk = pairPsk({ secret, epoch, lowerKey: ownKey, higherKey: peerKey, kemKey: bytes, ciphertext });
    secret.fill(0);
    return {
      request: { epoch, callerKey: ownKey, calleeKey: peerKey, ciphertext },
      confirm: async (confirmation) => {
        const own = pskConfirmation(psk);
        if (confirmation.length !== own.length || !timingSafeEqual(confirmation, own))
          throw new CodedError(WIREGUARD_PSK_DIFFERS, 'the other node made another preshared key of the ciphertext', {
            object: `epoch ${epoch}`,
          });
        await this.#save(epoch, peerKey, psk);
      },
      drop: () => void psk.fill(0),
    };
  }

  /** The higher node's part. @returns the confirmation @throws CodedError WIREGUARD_KEM, also when the node has no KEM key of the epoch */
  async accept({ epoch, callerKey, calleeKey, ciphertext }: PairRequest): Promise<Buffer> {
    const key = this.#epochs?.get(epoch)?.key;
    if (key === undefined) throw new CodedError(WIREGUARD_KEM, `this node has no KEM key of epoch ${epoch}`, { object: `epoch ${epoch}` });
    const secret = key.decapsulate(ciphertext);
    const psk = pairPsk({ secret, epoch, lowerKey: callerKey, higherKey: calleeKey, kemKey: key.publicKey, ciphertext });
    secret.fill(0);
    try {
      await this.#save(epoch, callerKey, psk);
      return pskConfirmation(psk);
    } finally {
      psk.fill(0);
    }
  }

  /** Of an epoch that has ended meanwhile nothing is kept. */
  async #save(epoch: Epoch, peerKey: string, psk: Buffer): Promise<void> {
    if (!this.#epochs?.has(epoch)) return;
    const text = secretToBase64(psk);
    try {
      await this.#store.savePsk(epoch, peerKey, text);
    } finally {
      text.fill(0);
    }
    this.#epochs.get(epoch)?.agreed.add(peerKey);
  }

  async #makeKey(epoch: Epoch): Promise<void> {
    const key = KemKey.generate();
    const seed = key.seed();
    try {
      await this.#store.saveSeed(epoch, seed);
    } finally {
      seed.fill(0);
    }
    const agreed = this.#epochs?.get(epoch)?.agreed ?? new Set();
    this.#epochs?.set(epoch, { key, agreed });
  }

  async #load(): Promise<Map<Epoch, Pairs>> {
    const loaded = new Map<Epoch, Pairs>();
    for (const [epoch, { seed, peers }] of await this.#store.load()) {
      const key = seed === undefined ? undefined : KemKey.fromSeed(seed);
      seed?.fill(0);
      loaded.set(epoch, { key, agreed: new Set(peers) });
    }
    return loaded;
  }
}
