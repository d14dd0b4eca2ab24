import { CodedError } from '@isthmus/core';
import { TOKEN_UNKNOWN } from './token.errors.ts';

/** The parts of a token as its holder has it: `isth1.<id>.<secret>.<ca pin>`. */
export interface TokenText {
  /** 16 hex digits; may be shown and logged. */
  id: string;
  /** 43 base64url characters, 32 random bytes. Never stored, logged or put into an error. */
  secret: string;
  /** SHA-256 of the issuing cluster's CA, 64 hex digits: whom the holder may believe. */
  caPin: string;
}

const FORM = /^isth1\.([0-9a-f]{16})\.([A-Za-z0-9_-]{43})\.([0-9a-f]{64})$/;

/** Writes a token as people copy it. */
export function formatToken(token: TokenText): string {
  return `isth1.${token.id}.${token.secret}.${token.caPin}`;
}

/**
 * Reads a token as people copied it; blanks around it are forgiven.
 * @throws CodedError TOKEN_UNKNOWN; the text is not repeated in it
 */
export function parseToken(text: string): TokenText {
  const found = FORM.exec(text.trim());
  if (!found) throw new CodedError(TOKEN_UNKNOWN, 'the text is not a token of the form isth1.<id>.<secret>.<ca pin>');
  return { id: found[1]!, secret: found[2]!, caPin: found[3]! };
}
