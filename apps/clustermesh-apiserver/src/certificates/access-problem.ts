import { CodedError } from '@isthmus/core';
import {
  ageOf,
  CERTIFICATE_EXPIRED,
  CERTIFICATE_RENEWAL,
  CERTIFICATE_REVOKED,
  CERTIFICATE_WRONG_CA,
  type CertificateAge,
} from '@isthmus/crypto';
import type { IssuedCertificate } from './issued-ledger.ts';
import type { Refusal } from './refusals.ts';

/** How a remote cluster's certificate stands with this cluster. */
export interface Access {
  state: CertificateAge | 'revoked' | 'untrusted';
  problem?: CodedError;
}

/**
 * What this cluster knows of a certificate that it issued, at a wall time. Its etcd refuses a bad one without a word to anybody; but whom it
 * refuses follows from what was issued, withdrawn and trusted.
 * @param trusted key identifiers of the CAs that are trusted now
 * @param refusal the last call of the certificate's bearer, if that was refused
 */
export function accessOf(issued: IssuedCertificate, trusted: ReadonlySet<string>, refusal: Refusal | undefined, now: number): Access {
  const problem = ownProblem(issued, trusted, now);
  if (problem) return problem;
  // The ledger says that all is well, and yet the bearer came with something else.
  return { state: ageOf(issued, now), ...(refusal && { problem: refusal.problem }) };
}

function ownProblem({ user: object, ...issued }: IssuedCertificate, trusted: ReadonlySet<string>, now: number): Access | undefined {
  if (issued.revokedAt !== undefined)
    return {
      state: 'revoked',
      problem: new CodedError(CERTIFICATE_REVOKED, `${object} was revoked here at ${iso(issued.revokedAt)}: it is refused`, { object }),
    };
  if (!trusted.has(issued.issuerKeyId))
    return {
      state: 'untrusted',
      problem: new CodedError(CERTIFICATE_WRONG_CA, `${object} is signed by ${issued.issuer}, which this cluster no longer trusts`, {
        object,
      }),
    };
  const age = ageOf(issued, now);
  const bearer = 'Let its cluster renew it: "isthmus clustermesh status" there says why it does not; otherwise connect the two anew.';
  if (age === 'expired')
    return {
      state: age,
      problem: new CodedError(CERTIFICATE_EXPIRED, `${object} expired at ${iso(issued.notAfter)}: it is refused`, {
        object,
        action: bearer,
      }),
    };
  if (age === 'late')
    return {
      state: age,
      problem: new CodedError(CERTIFICATE_RENEWAL, `${object} expires at ${iso(issued.notAfter)} and its bearer has not renewed it`, {
        object,
        action: bearer,
      }),
    };
  return undefined;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
