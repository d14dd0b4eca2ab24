import { createPublicKey, decapsulate, encapsulate, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { CodedError } from '@isthmus/core';
import { WIREGUARD_KEM } from './wireguard.errors.ts';

const ALGORITHM = 'ml-kem-768';
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
  #secret: KeyObject | undefined;

  private constructor(publicKey: Buffer, secret: KeyObject) {
    this.publicKey = publicKey;
    this.#secret = secret;
  }

  /** A new one. */
  static generate(): KemKey {
    const { publicKey, privateKey } = generateKeyPairSync(ALGORITHM);
    return new KemKey(publicKey.export({ format: 'raw-public' }) as unknown as Buffer, privateKey);
  }

  /**
   * The secret that somebody encapsulated for this key. Of a ciphertext that was changed on the way it is another one, which shows when WireGuard
   * finds no session with it (FIPS 203 §6.3).
   * @throws CodedError WIREGUARD_KEM when it is no ciphertext, or the key was wiped
   */
  decapsulate(ciphertext: Uint8Array): Buffer {
    if (this.#secret === undefined) throw new CodedError(WIREGUARD_KEM, 'the key was wiped', { object: '(a KEM key)' });
    if (ciphertext.length !== KEM_CIPHERTEXT_BYTES)
      throw new CodedError(WIREGUARD_KEM, `a ciphertext has ${KEM_CIPHERTEXT_BYTES} bytes, not ${ciphertext.length}`, {
        object: '(a ciphertext)',
      });
    return Buffer.from(decapsulate(this.#secret, ciphertext));
  }

  /** Forgets the private half. */
  wipe(): void {
    this.#secret = undefined;
  }
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
