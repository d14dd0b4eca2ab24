import { CodedError } from '@isthmus/core';
import type { CertificateFacts } from './certificate-facts.ts';
import { CERTIFICATE_EXPIRED, CERTIFICATE_RENEWAL, CERTIFICATE_REVOKED } from './pki.errors.ts';
import { ageOf } from './renewal.ts';

/** Why a certificate was not replaced. */
export interface RenewalFailure {
  /** What the last attempt failed with; undefined when none did. */
  error: CodedError | undefined;
  /** What to do once the certificate is worth nothing any more, one sentence. */
  recovery: string;
}

/**
 * What is wrong with a certificate at a wall time, in the terms of whoever should do something about it: an expired one needs another remedy
 * than one that is not renewed, and one that is good may only have nobody to renew it now.
 */
export function certificateProblem(
  facts: Pick<CertificateFacts, 'cn' | 'notBefore' | 'notAfter'>,
  { error, recovery }: RenewalFailure,
  now: number,
): CodedError | undefined {
  const age = ageOf(facts, now);
  // One that was withdrawn is worth nothing whatever its dates say.
  if ((age !== 'late' && age !== 'expired') || error?.code === CERTIFICATE_REVOKED.code) return error;
  const [ends, cause, object] = [new Date(facts.notAfter).toISOString(), error, facts.cn];
  const why = error ? `; renewing it failed: ${error.message}` : '';
  if (age === 'expired')
    return new CodedError(CERTIFICATE_EXPIRED, `${facts.cn} expired at ${ends}${why}`, { object, cause, action: recovery });
  const action = error?.action ?? CERTIFICATE_RENEWAL.action;
  return new CodedError(CERTIFICATE_RENEWAL, `${facts.cn} expires at ${ends} and is not renewed${why}`, { object, cause, action });
}
