import type { CertificateFacts } from './certificate-facts.ts';

/** Wall time, in milliseconds since 1970, from which a certificate should be replaced: two thirds of its life. */
export function renewAt(facts: Pick<CertificateFacts, 'notBefore' | 'notAfter'>): number {
  return facts.notBefore + Math.floor(((facts.notAfter - facts.notBefore) * 2) / 3);
}
