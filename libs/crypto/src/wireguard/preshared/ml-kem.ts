import { createHash, createPrivateKey, createPublicKey, decapsulate, encapsulate, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { CodedError } from '@isthmus/core';
import { WIREGUARD_KEM } from '../wireguard.errors.ts';

const ALGORITHM = 'ml-kem-768';
/** Bytes that a key is made of: d and z, FIPS 203 §7.1. */
const SEED_BYTES = 64;
/** Bytes of what is sent: FIPS 203, table 3. */
export const KEM_PUBLIC_BYTES = 1184;
/** The same of the answer. */
export const KEM_CIPHERTEXT_BYTES = 1088;

/** What encapsulating for somebody gives: the secret is shared with who gets the ciphertext and has the key. The caller clears it. */
export interface Encapsulated {
  readonly ciphertext: Buffer;
  /** 32 bytes. */
  readonly secret: Buffer;
}

/** A node's ML-KEM-768 key of an epoch, FIPS 203: what WireGuard's preshared keys are agreed with, so that recorded traffic outlives X25519. */
export class KemKey {
  /** 1184 bytes. */
  readonly publicKey: Buffer;
  /** Of that, see {@link kemKeyHash}. */
  readonly hash: string;
  #secret: KeyObject | undefined;

  private constructor(secret: KeyObject) {
    this.publicKey = createPublicKey(secret).export({ format: 'raw-public' }) as unknown as Buffer;
    this.hash = kemKeyHash(this.publicKey);
    this.#secret = secret;
  }

  /** A new one. */
  static generate(): KemKey {
    return new KemKey(generateKeyPairSync(ALGORITHM).privateKey);
  }

  /** Of what {@link seed} answered. @throws CodedError WIREGUARD_KEM, which does not repeat what it is about */
  static fromSeed(seed: Uint8Array): KemKey {
    if (seed.length !== SEED_BYTES) throw new CodedError(WIREGUARD_KEM, `a KEM key is not ${SEED_BYTES} bytes`, { object: '(a KEM key)' });
    return new KemKey(createPrivateKey({ key: Buffer.from(seed), format: 'raw-seed', asymmetricKeyType: ALGORITHM } as never));
  }

  /** What the key can be made of again, 64 bytes; the caller clears it. @throws CodedError WIREGUARD_KEM after {@link wipe} */
  seed(): Buffer {
    return this.#held().export({ format: 'raw-seed' } as never) as unknown as Buffer;
  }

  /**
   * The secret that somebody encapsulated for this key. Of a ciphertext that was changed on the way it is another one, which shows when WireGuard
   * finds no session with it (FIPS 203 §6.3).
   * @throws CodedError WIREGUARD_KEM when it is no ciphertext, or the key was wiped
   */
  decapsulate(ciphertext: Uint8Array): Buffer {
    const secret = this.#held();
    if (ciphertext.length !== KEM_CIPHERTEXT_BYTES)
      throw new CodedError(WIREGUARD_KEM, `a ciphertext has ${KEM_CIPHERTEXT_BYTES} bytes, not ${ciphertext.length}`, {
        object: '(a ciphertext)',
      });
    return Buffer.from(decapsulate(secret, ciphertext));
  }

  /** Forgets the private half. */
  wipe(): void {
    this.#secret = undefined;
  }

  #held(): KeyObject {
    if (this.#secret === undefined) throw new CodedError(WIREGUARD_KEM, 'the key was wiped', { object: '(a KEM key)' });
    return this.#secret;
  }
}

/** What a node publishes of its key, and others know it by when it sends it to them: SHA-256 of the public key, base64. */
export function kemKeyHash(publicKey: Uint8Array): string {
  return createHash('sha256').update(publicKey).digest('base64');
}

/** Makes a secret for whoever has the private half. @throws CodedError WIREGUARD_KEM when it is no public key, FIPS 203 §7.2 */
export function encapsulateFor(publicKey: Uint8Array): Encapsulated {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'raw-public', asymmetricKeyType: ALGORITHM } as never);
    const { ciphertext, sharedKey } = encapsulate(key) as { ciphertext: Uint8Array; sharedKey: Uint8Array };
    return { ciphertext: Buffer.from(ciphertext), secret: Buffer.from(sharedKey) };
  } catch (cause) {
    throw new CodedError(WIREGUARD_KEM, `no ML-KEM-768 public key: ${publicKey.length} bytes`, { object: '(a public key)', cause });
  }
}
