import { createHash } from 'node:crypto';
import type { PairAnswer, PairRequest } from './pair-exchange.ts';

/** Bytes of SHA-256, and of a confirmation. */
const HASH_BYTES = 32;

/**
 * An answer as who gave it keeps it beside the preshared key: a caller that it did not reach asks again, and is told the same. Nothing in it is secret.
 * It begins with a hash of it and of what was asked, because it answers nothing else, and a file may break.
 */
export function encodeKeptAnswer(request: PairRequest, { ciphertext, confirmation }: PairAnswer): Buffer {
  const answer = Buffer.concat([confirmation, ciphertext]);
  return Buffer.concat([hashOf(request, answer), answer]);
}

/** What was answered to that very request; undefined when it was another one, or the file is broken. */
export function decodeKeptAnswer(request: PairRequest, kept: Buffer): PairAnswer | undefined {
  const answer = kept.subarray(HASH_BYTES);
  if (!hashOf(request, answer).equals(kept.subarray(0, HASH_BYTES))) return undefined;
  return { confirmation: answer.subarray(0, HASH_BYTES), ciphertext: answer.subarray(HASH_BYTES) };
}

function hashOf({ epoch, callerKey, calleeKey, kemKey }: PairRequest, answer: Uint8Array): Buffer {
  const keys = createHash('sha256').update(kemKey).digest('base64');
  return createHash('sha256').update(`${epoch} ${callerKey} ${calleeKey} ${keys} `).update(answer).digest();
}
