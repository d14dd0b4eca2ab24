import { z } from 'zod';
import { parsePublicKey } from '../wireguard/wireguard-key.ts';

/** Where a request goes: `POST`, JSON both ways. */
export const PAIR_EXCHANGE_PATH = '/v1/preshared-keys';
/** Bytes of a body: a KEM key or a ciphertext in base64, and little else. */
export const PAIR_EXCHANGE_MAX_BYTES = 8_192;

const publicKey = z.string().refine((text) => parsePublicKey(text) !== undefined, 'must be a WireGuard public key');
const bytes = z.base64().transform((text) => Buffer.from(text, 'base64'));

/** A request as it is sent. */
export const pairRequestSchema = z.object({
  epoch: z.int().min(1).max(0xffff_ffff),
  callerKey: publicKey,
  calleeKey: publicKey,
  kemKey: bytes,
});

/** Its answer. */
export const pairAnswerSchema = z.object({ ciphertext: bytes, confirmation: bytes });

/** A refusal: {@link CodedError}'s JSON. */
export const pairRefusalSchema = z.object({ code: z.string(), message: z.string(), action: z.string() });
