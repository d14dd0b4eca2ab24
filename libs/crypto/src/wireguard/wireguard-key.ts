import { createPrivateKey, createPublicKey } from 'node:crypto';
import { CodedError } from '@isthmus/core';
import type { RandomBytes } from '../token/token-ledger.ts';
import { secretFromBase64, secretToBase64 } from './secret-base64.ts';
import { WIREGUARD_KEY } from './wireguard.errors.ts';

/** Bytes of an X25519 key, private or public. */
const KEY_BYTES = 32;
/** What stands before the 32 bytes of a private key in PKCS #8, RFC 8410 §7. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
/** Base64 of 32 bytes: two bits of the last digit are spare, and zero. */
const KEY_TEXT = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

/** A key pair of WireGuard: X25519, RFC 7748 §5. Its private half is in one place, from where {@link wipe} removes it. */
export class WireGuardKey {
  /** Base64, as peers and tools have it. */
  readonly publicKey: string;
  readonly #secret: Buffer;
  #wiped = false;

  private constructor(secret: Buffer) {
    this.#secret = secret;
    this.publicKey = publicKeyOf(secret);
  }

  /** A new one. */
  static generate(random: RandomBytes): WireGuardKey {
    const secret = Buffer.from(random(KEY_BYTES));
    // RFC 7748 §5 has every multiplication do this; with it the file is what `wg genkey` would write.
    secret[0]! &= 0xf8;
    secret[31] = (secret[31]! & 0x7f) | 0x40;
    return new WireGuardKey(secret);
  }

  /** Of what {@link text} answered. @throws CodedError WIREGUARD_KEY, which does not repeat what it is about */
  static parse(text: Uint8Array): WireGuardKey {
    const secret = secretFromBase64(text);
    if (secret === undefined) throw new CodedError(WIREGUARD_KEY, 'a private key is not 32 bytes in base64', { object: '(a private key)' });
    return new WireGuardKey(secret);
  }

  /** The private key as key files have it; the caller clears it. @throws Error after {@link wipe} */
  text(): Buffer {
    if (this.#wiped) throw new Error(`the private key of ${this.publicKey} was wiped`);
    return secretToBase64(this.#secret);
  }

  /** Whether the private half is gone. */
  get wiped(): boolean {
    return this.#wiped;
  }

  /** Forgets the private half. */
  wipe(): void {
    this.#secret.fill(0);
    this.#wiped = true;
  }
}

/** A public key as somebody published it; undefined for what is malformed, and for all zeros, which WireGuard takes for none. */
export function parsePublicKey(text: string): string | undefined {
  return KEY_TEXT.test(text) && Buffer.from(text, 'base64').some((byte) => byte !== 0) ? text : undefined;
}

/** The public half of a private key of 32 bytes, base64. */
export function publicKeyOf(secret: Buffer): string {
  const der = Buffer.concat([PKCS8_PREFIX, secret]);
  try {
    const { x } = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({ format: 'jwk' });
    return Buffer.from(x!, 'base64url').toString('base64');
  } finally {
    der.fill(0);
  }
}
