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

/** What is seen of the node's keys. Seconds since 1970. */
export interface KeySight {
  /** By epoch, base64. */
  readonly live: ReadonlyMap<Epoch, string>;
  madeAt(epoch: Epoch): number | undefined;
  readonly now: number;
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

  /** Notes what has come and what has gone since the last time. @returns whether anything has */
  see({ live, madeAt, now }: KeySight): boolean {
    const there = new Map([...live].map(([epoch, publicKey]) => [fingerprintOf(publicKey), epoch]));
    const known = new Set(this.#keys.filter(({ goneAt }) => goneAt === null).map(({ fingerprint }) => fingerprint));
    const made = [...there]
      .filter(([fingerprint]) => !known.has(fingerprint))
      .map(([fingerprint, epoch]): PastKey => ({ epoch, fingerprint, madeAt: textOf(madeAt(epoch) ?? now), goneAt: null }))
      .sort((a, b) => b.epoch - a.epoch);
    const isGone = ({ fingerprint, goneAt }: PastKey): boolean => goneAt === null && !there.has(fingerprint);
    if (made.length === 0 && !this.#keys.some(isGone)) return false;
    const before = this.#keys.map((key) => (isGone(key) ? { ...key, goneAt: textOf(now) } : key));
    this.#keys = [...made, ...before].slice(0, MAX_KEYS);
    return true;
  }
}

function textOf(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}
