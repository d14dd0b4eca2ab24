import { randomBytes } from 'node:crypto';
import type { RandomBytes } from '../token/token-ledger.ts';

/** The operating system's randomness; good for keys. */
export const systemRandomBytes: RandomBytes = (length) => randomBytes(length);
