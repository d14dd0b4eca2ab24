import { createHash, createHmac, hkdfSync } from 'node:crypto';
import type { Epoch } from '../epoch.ts';

/** Says what the bytes are for, and in which version: other ones come out of the same secret for anything else. */
const LABEL = 'wg-psk/v1';
const PSK_BYTES = 32;
const CONFIRMS = 'wg-psk-confirm/v1';

/** All that a preshared key is bound to. */
export interface PairSecret {
  /** What the KEM gave, 32 bytes. */
  readonly secret: Uint8Array;
  readonly epoch: Epoch;
  /** WireGuard's public keys of the two nodes in that epoch, base64: that of the one whose name is lower, whose KEM key it is, and the other's. */
  readonly lowerKey: string;
  readonly higherKey: string;
  /** The KEM's public key and ciphertext, as they were sent. */
  readonly kemKey: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/**
 * The preshared key of two nodes in an epoch, 32 bytes that the caller clears: HKDF-SHA256 (RFC 5869) without salt over the secret, with
 * everything that both sides must have seen alike in `info`. Who sees something else gets another key, and no session.
 */
export function pairPsk({ secret, epoch, lowerKey, higherKey, kemKey, ciphertext }: PairSecret): Buffer {
  const number = Buffer.alloc(4);
  number.writeUInt32BE(epoch);
  const keys = [lowerKey, higherKey].map((text) => Buffer.from(text, 'base64'));
  const info = Buffer.concat([Buffer.from(LABEL), number, ...keys, sha256(kemKey), sha256(ciphertext)]);
  return Buffer.from(hkdfSync('sha256', secret, new Uint8Array(0), info, PSK_BYTES));
}

/** What one side proves to the other that it has the same preshared key by, 32 bytes: HMAC-SHA256 (RFC 2104) of a constant. It gives nothing away. */
export function pskConfirmation(psk: Uint8Array): Buffer {
  return createHmac('sha256', psk).update(CONFIRMS).digest();
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
