import { type Clock, CodedError } from '@isthmus/core';
import type { CertificateFacts } from './certificate-facts.ts';
import { CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID } from './pki.errors.ts';

/** How far certificates are dated back at most, so that machines whose clocks run a little late accept them. Milliseconds. */
export const CLOCK_SKEW_MS = 5 * 60_000;

/** How far a certificate of this life is dated back: a brief one by less, or it would be old when it is made. Milliseconds. */
export function backdateMs(validityMs: number): number {
  return Math.min(CLOCK_SKEW_MS, Math.floor(validityMs / 10));
}

/**
 * Checks the certificate's dates against the wall clock.
 * @throws CodedError CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID
 */
export function checkValidity(facts: Pick<CertificateFacts, 'notBefore' | 'notAfter'>, clock: Clock, object: string): void {
  const now = clock.wall();
  if (now > facts.notAfter) {
    throw new CodedError(CERTIFICATE_EXPIRED, `${object} expired at ${iso(facts.notAfter)}; it is ${iso(now)}`, { object });
  }
  if (now < facts.notBefore) {
    throw new CodedError(CERTIFICATE_NOT_YET_VALID, `${object} is valid from ${iso(facts.notBefore)}; it is ${iso(now)}`, { object });
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
