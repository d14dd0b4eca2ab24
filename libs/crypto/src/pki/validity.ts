import { type Clock, CodedError } from '@isthmus/core';
import type { CertificateFacts } from './certificate-facts.ts';
import { CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID } from './pki.errors.ts';

/** How far certificates are dated back, so that machines whose clocks run a little late accept them. Milliseconds. */
export const CLOCK_SKEW_MS = 5 * 60_000;

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
