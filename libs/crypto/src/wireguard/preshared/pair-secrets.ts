import { timingSafeEqual } from 'node:crypto';
import { CodedError } from '@isthmus/core';
import type { Epoch } from '../epoch.ts';
import { secretFromBase64, secretToBase64 } from '../secret-base64.ts';
import { WIREGUARD_KEM, WIREGUARD_PSK_DIFFERS } from '../wireguard.errors.ts';
import { decodeKeptAnswer, encodeKeptAnswer } from './kept-answer.ts';
import { encapsulateFor, KemKey } from './ml-kem.ts';
import type { PairAnswer, PairRequest } from './pair-exchange.ts';
import { type PairSecret, pairPsk, pskConfirmation } from './pair-psk.ts';

/** What is kept of an epoch: it ends with the epoch's keys. */
export interface StoredPairs {
  /** Of the node's KEM key; undefined: it has none. The reader clears it. */
  readonly seed: Buffer | undefined;
  /** Public keys of peers that there is a preshared key for. */
  readonly peers: ReadonlySet<string>;
}

/** What is kept of a pair. */
export interface StoredPair {
  /** The preshared key as `wg` reads it: base64. Who has it clears it. */
  readonly psk: Uint8Array;
  /** Of the one that made it: what it answered with, see {@link encodeKeptAnswer}. */
  readonly answer: Buffer | undefined;
}

/** Preshared keys on disk, where `wg` reads them, and the KEM keys that they are agreed on with. */
export interface PairSecretStore {
  load(): Promise<ReadonlyMap<Epoch, StoredPairs>>;
  saveSeed(epoch: Epoch, seed: Uint8Array): Promise<void>;
  /** The answer is there before the preshared key: that is what says that there is one. */
  savePair(epoch: Epoch, publicKey: string, pair: StoredPair): Promise<void>;
  /** Undefined: there is none that could be used. */
  readPair(epoch: Epoch, publicKey: string): Promise<StoredPair | undefined>;
  /** Nothing there is fine. */
  removePair(epoch: Epoch, publicKey: string): Promise<void>;
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

/** The caller's part of an agreement. */
export interface Proposal {
  readonly request: PairRequest;
  /**
   * Keeps the secret of the answer, if the other one has the same.
   * @throws CodedError WIREGUARD_PSK_DIFFERS; WIREGUARD_KEM when it is no answer
   */
  confirm(answer: PairAnswer): Promise<void>;
}

interface Pairs {
  key: KemKey | undefined;
  readonly agreed: Set<string>;
  /** Nothing more is kept: its files are being removed. */
  hasEnded: boolean;
}

/**
 * A node's preshared keys: one for each pair and epoch, which never changes while it is in use. The higher node of a pair encapsulates a secret for the
 * lower one's KEM key, whose hash stands in its record beside the WireGuard key of the epoch. It has made it once: whoever asks again, because the answer was
 * lost or either agent was started again, hears the same.
 */
export class PairSecrets {
  readonly #store: PairSecretStore;
  readonly #makesKeys: boolean;
  #epochs: Map<Epoch, Pairs> | undefined;
  /** Answers that are being made, by pair: one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>();

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
    const pairs = this.#epochs?.get(epoch);
    if (pairs) pairs.hasEnded = true;
    await this.#store.remove(epoch);
    pairs?.key?.wipe();
    this.#epochs?.delete(epoch);
  }

  /** What the node publishes of its KEM keys: their hashes, base64, by epoch. */
  kemKeyHashes(): ReadonlyMap<Epoch, string> {
    const hashes = [...(this.#epochs ?? [])].flatMap(([epoch, { key }]) => {
      return key === undefined || !this.#makesKeys ? [] : [[epoch, key.hash] as const];
    });
    return new Map(hashes);
  }

  /** Whether there is a preshared key for a peer's key of an epoch. */
  agreed(epoch: Epoch, publicKey: string): boolean {
    return this.#epochs?.get(epoch)?.agreed.has(publicKey) ?? false;
  }

  /** File with the preshared key, if there is one. */
  file(epoch: Epoch, publicKey: string): string | undefined {
    return this.agreed(epoch, publicKey) ? this.#store.file(epoch, publicKey) : undefined;
  }

  /** The lower node's part. @throws CodedError WIREGUARD_KEM when the node has no KEM key of the epoch */
  propose({ epoch, ownKey, peerKey }: PairKeys): Proposal {
    const { pairs, key } = this.#held(epoch);
    const { publicKey: kemKey } = key;
    return {
      request: { epoch, callerKey: ownKey, calleeKey: peerKey, kemKey },
      confirm: async ({ ciphertext, confirmation }) => {
        if (pairs.hasEnded) return;
        const secret = key.decapsulate(ciphertext);
        await withPsk({ secret, epoch, lowerKey: ownKey, higherKey: peerKey, kemKey, ciphertext }, async (psk) => {
          if (!isConfirmed(psk, confirmation))
            throw new CodedError(WIREGUARD_PSK_DIFFERS, 'the other node made another preshared key than the one that its answer gives', {
              object: `epoch ${epoch}`,
            });
          await this.#save(pairs, { epoch, ownKey, peerKey }, psk, undefined);
        });
      },
    };
  }

  /** The higher node's part. @throws CodedError WIREGUARD_KEM, also when the node has no KEM key of the epoch */
  async accept(request: PairRequest): Promise<PairAnswer> {
    const pair = `${request.epoch} ${request.callerKey}`;
    const answer = (this.#turns.get(pair) ?? Promise.resolve()).then(() => this.#answer(request));
    const turn = Promise.allSettled([answer]);
    this.#turns.set(pair, turn);
    try {
      return await answer;
    } finally {
      if (this.#turns.get(pair) === turn) this.#turns.delete(pair);
    }
  }

  async #answer(request: PairRequest): Promise<PairAnswer> {
    const { epoch, callerKey, calleeKey, kemKey } = request;
    const { pairs } = this.#held(epoch);
    const kept = pairs.agreed.has(callerKey) ? await this.#kept(request) : undefined;
    if (kept !== undefined) return kept;
    const { ciphertext, secret } = encapsulateFor(kemKey);
    return withPsk({ secret, epoch, lowerKey: callerKey, higherKey: calleeKey, kemKey, ciphertext }, async (psk) => {
      const answer = { ciphertext, confirmation: pskConfirmation(psk) };
      await this.#save(pairs, { epoch, ownKey: calleeKey, peerKey: callerKey }, psk, encodeKeptAnswer(request, answer));
      this.#held(epoch); // What is not kept, because the epoch has ended meanwhile, is not answered.
      return answer;
    });
  }

  /** What was answered before; not if that is of another preshared key than the one that is kept: files that were written by halves. */
  async #kept(request: PairRequest): Promise<PairAnswer | undefined> {
    const stored = await this.#store.readPair(request.epoch, request.callerKey);
    if (stored === undefined) return undefined;
    const psk = secretFromBase64(stored.psk);
    stored.psk.fill(0);
    const answer = stored.answer && decodeKeptAnswer(request, stored.answer);
    const isOfIt = psk !== undefined && answer !== undefined && isConfirmed(psk, answer.confirmation);
    psk?.fill(0);
    return isOfIt ? answer : undefined;
  }

  #held(epoch: Epoch): { pairs: Pairs; key: KemKey } {
    const pairs = this.#epochs?.get(epoch);
    if (pairs?.key !== undefined && !pairs.hasEnded) return { pairs, key: pairs.key };
    throw new CodedError(WIREGUARD_KEM, `this node has no KEM key of epoch ${epoch}`, { object: `epoch ${epoch}` });
  }

  /** Of an epoch that has ended meanwhile nothing is kept. */
  async #save(pairs: Pairs, { epoch, peerKey }: PairKeys, psk: Buffer, answer: Buffer | undefined): Promise<void> {
    if (pairs.hasEnded) return;
    const text = secretToBase64(psk);
    try {
      await this.#store.savePair(epoch, peerKey, { psk: text, answer });
    } finally {
      text.fill(0);
    }
    if (pairs.hasEnded) await this.#store.removePair(epoch, peerKey);
    else pairs.agreed.add(peerKey);
  }

  async #makeKey(epoch: Epoch): Promise<void> {
    const key = KemKey.generate();
    const seed = key.seed();
    try {
      await this.#store.saveSeed(epoch, seed);
    } finally {
      seed.fill(0);
    }
    const pairs = this.#epochs?.get(epoch);
    if (pairs === undefined) this.#epochs?.set(epoch, { key, agreed: new Set(), hasEnded: false });
    else pairs.key = key;
  }

  async #load(): Promise<Map<Epoch, Pairs>> {
    const loaded = new Map<Epoch, Pairs>();
    for (const [epoch, { seed, peers }] of await this.#store.load()) {
      const key = seed === undefined ? undefined : KemKey.fromSeed(seed);
      seed?.fill(0);
      loaded.set(epoch, { key, agreed: new Set(peers), hasEnded: false });
    }
    return loaded;
  }
}

/** Has something done with a preshared key, and clears it, and the secret that it is made of. */
async function withPsk<T>(of: PairSecret, use: (psk: Buffer) => Promise<T>): Promise<T> {
  const psk = pairPsk(of);
  of.secret.fill(0);
  try {
    return await use(psk);
  } finally {
    psk.fill(0);
  }
}

function isConfirmed(psk: Uint8Array, confirmation: Uint8Array): boolean {
  const own = pskConfirmation(psk);
  return confirmation.length === own.length && timingSafeEqual(confirmation, own);
}
