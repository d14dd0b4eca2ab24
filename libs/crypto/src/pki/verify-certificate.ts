import { X509Certificate } from 'node:crypto';
import { type Clock, CodedError } from '@isthmus/core';
import { splitPem } from './ca-bundle.ts';
import { type CertificateFacts, certificateFacts } from './certificate-facts.ts';
import { keyBelongsTo } from './key-pair.ts';
import {
  CERTIFICATE_KEY_MISMATCH,
  CERTIFICATE_NAME,
  CERTIFICATE_UNREADABLE,
  CERTIFICATE_USAGE,
  CERTIFICATE_WRONG_CA,
} from './pki.errors.ts';
import { checkValidity } from './validity.ts';

/** What {@link verifyCertificate} checks a certificate against. */
export interface Expectation {
  /** Trusted CAs, PEM; one of them must have signed and be valid itself. */
  caBundle: string;
  clock: Clock;
  /** What the certificate is shown for. */
  usage: 'server' | 'client';
  /** Common name that it must carry; any when absent. */
  commonName?: string;
  /** Private key that it must belong to. */
  keyPem?: string;
}

/**
 * Checks a certificate: signed by one of the CAs, within its dates, for this usage, under this name, for this key.
 * @throws CodedError CERTIFICATE_UNREADABLE, CERTIFICATE_WRONG_CA, CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID, CERTIFICATE_USAGE,
 *   CERTIFICATE_NAME, CERTIFICATE_KEY_MISMATCH
 */
export function verifyCertificate(certPem: string, expected: Expectation): CertificateFacts {
  const facts = certificateFacts(certPem);
  const object = facts.cn;
  checkSigner(certPem, facts, expected);
  checkValidity(facts, expected.clock, object);
  if (!facts.usages[expected.usage]) {
    throw new CodedError(CERTIFICATE_USAGE, `${object} is not a ${expected.usage} certificate`, { object });
  }
  if (expected.commonName !== undefined && facts.cn !== expected.commonName) {
    throw new CodedError(CERTIFICATE_NAME, `the certificate names ${facts.cn}; ${expected.commonName} is expected`, { object });
  }
  if (expected.keyPem !== undefined && !keyBelongsTo(certPem, expected.keyPem)) {
    throw new CodedError(CERTIFICATE_KEY_MISMATCH, `the certificate ${object} is not for the key that was requested`, { object });
  }
  return facts;
}

function checkSigner(certPem: string, facts: CertificateFacts, expected: Expectation): void {
  const certificate = opened(certPem, facts.cn);
  const trusted = splitPem(expected.caBundle);
  const signer = trusted.find((pem) => signed(certificate, opened(pem, 'trusted CA')));
  if (signer === undefined) {
    const names = trusted.map((pem) => certificateFacts(pem).cn).join(', ') || 'no CA';
    throw new CodedError(CERTIFICATE_WRONG_CA, `${facts.cn} is signed by ${facts.issuer}; trusted is ${names}`, { object: facts.cn });
  }
  checkValidity(certificateFacts(signer), expected.clock, facts.issuer);
}

/** Names are compared as well as the signature: during a change of CA two CAs may carry the same name. */
function signed(certificate: X509Certificate, ca: X509Certificate): boolean {
  return ca.ca && certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
}

function opened(pem: string, object: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new CodedError(CERTIFICATE_UNREADABLE, `${object} is not a readable PEM certificate`, { object, cause });
  }
}
