import { createHash } from 'node:crypto';

const DIGITS = 16;

/** What people are shown of a public key, base64: the first 8 bytes of its SHA-256, in hex. */
export function fingerprintOf(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex').slice(0, DIGITS);
}
