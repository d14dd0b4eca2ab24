import type { Clock } from '@isthmus/core';
import { type CaKeyPair, openCa } from './cluster-ca.ts';
import { SIGNING_ALGORITHM } from './key-pair.ts';
import { x509Library } from './x509-library.ts';

/** A certificate that is not to be accepted any more. */
export interface Revocation {
  /** Lower-case hex. */
  serial: string;
  /** Wall time in milliseconds since 1970. */
  at: number;
}

/**
 * Writes a list of revoked certificates (RFC 5280 §5), PEM as RFC 7468 §8 has it: etcd reads such a file at each connection. It says nothing of
 * a next update, because it is written anew whenever it changes; that field is the last day of the CA.
 * @throws CodedError those of {@link openCa}
 */
export async function revocationList(ca: CaKeyPair, revoked: readonly Revocation[], clock: Clock): Promise<string> {
  const signer = await openCa(ca, clock);
  const { AuthorityKeyIdentifierExtension, PemConverter, X509CrlGenerator } = await x509Library();
  const list = await X509CrlGenerator.create({
    issuer: signer.certificate.subjectName.toJSON(),
    thisUpdate: new Date(clock.wall()),
    nextUpdate: signer.certificate.notAfter,
    entries: revoked.map(({ serial, at }) => ({ serialNumber: serial, revocationDate: new Date(at) })),
    signingAlgorithm: SIGNING_ALGORITHM,
    signingKey: signer.key,
    extensions: [await AuthorityKeyIdentifierExtension.create(signer.certificate.publicKey)],
  });
  return PemConverter.encode(list.rawData, 'X509 CRL');
}
