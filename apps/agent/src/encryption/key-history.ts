import type { Epoch } from '@isthmus/crypto';
import { fingerprintOf } from './key-fingerprint.ts';

/** A key that the node has or had. */
export interface PastKey {
  readonly epoch: Epoch;
  /** Of its public half. */
  readonly fingerprint: string;
  /** RFC 3339. */
  readonly madeAt: string;
  /** Null while it is there. */
  readonly goneAt: string | null;
}

/** A key that the node has. */
export interface LiveKey {
  readonly epoch: Epoch;
  /** Base64. */
  readonly publicKey: string;
  /** Milliseconds since 1970; needed of keys that the history has not seen. */
  readonly madeAt: number | undefined;
}

/** As many changes of keys as a cluster's history has. */
const MAX_KEYS = 100;

/** Which keys a node had, and when: what is asked for when one may have become known. */
export class KeyHistory {
  #keys: readonly PastKey[];

  /** @param kept of an agent before, the newest first */
  constructor(kept: readonly PastKey[]) {
    this.#keys = kept;
  }

  /** The newest first. */
  get keys(): readonly PastKey[] {
    return this.#keys;
  }

  /** The entry of a key that is there. */
  of(publicKey: string): PastKey | undefined {
    const fingerprint = fingerprintOf(publicKey);
    return this.#keys.find((key) => key.goneAt === null && key.fingerprint === fingerprint);
  }

  /** Notes what has come and what has gone since the last time. @param now milliseconds since 1970 @returns whether anything has */
  see(live: readonly LiveKey[], now: number): boolean {
    const there = new Set(live.map(({ publicKey }) => fingerprintOf(publicKey)));
    const made = live
      .filter(({ publicKey }) => this.of(publicKey) === undefined)
      .map(({ epoch, publicKey, madeAt = now }): PastKey => {
        return { epoch, fingerprint: fingerprintOf(publicKey), madeAt: textOf(madeAt), goneAt: null };
      })
      .sort((a, b) => b.epoch - a.epoch);
    const isGone = ({ fingerprint, goneAt }: PastKey): boolean => goneAt === null && !there.has(fingerprint);
    if (made.length === 0 && !this.#keys.some(isGone)) return false;
    const before = this.#keys.map((key) => (isGone(key) ? { ...key, goneAt: textOf(now) } : key));
    this.#keys = [...made, ...before].slice(0, MAX_KEYS);
    return true;
  }
}

function textOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
