import type { Clock } from '@isthmus/core';
import type { CertificateProfile } from './certificate-profile.ts';
import { provenPublicKey, subjectAlternativeNames } from './certificate-request.ts';
import { type CaKeyPair, openCa, type SigningCa } from './cluster-ca.ts';
import { SIGNING_ALGORITHM } from './key-pair.ts';
import { randomSerial } from './serial-number.ts';
import { backdateMs } from './validity.ts';
import { x509 } from './x509-library.ts';

/** What {@link signRequest} needs. */
export interface SigningOrder {
  ca: CaKeyPair;
  csrPem: string;
  /** Every name, usage and date of the certificate. */
  profile: CertificateProfile;
  clock: Clock;
}

/**
 * Signs the public key of a request under the names of the profile; the names in the request are ignored.
 * @returns the certificate as PEM, followed by what the CA has signed along with it ({@link CaKeyPair.chainPem})
 * @throws CodedError REQUEST_INVALID, REQUEST_UNPROVEN, and those of {@link openCa}
 */
export async function signRequest(order: SigningOrder): Promise<string> {
  const ca = await openCa(order.ca, order.clock);
  const publicKey = await provenPublicKey(order.csrPem, order.profile.commonName);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: [{ CN: [order.profile.commonName] }],
    issuer: ca.certificate.subjectName.toJSON(),
    ...dates(order, ca),
    signingAlgorithm: SIGNING_ALGORITHM,
    publicKey,
    signingKey: ca.key,
    extensions: await extensions(order.profile, publicKey, ca),
  });
  return `${certificate.toString('pem')}\n${order.ca.chainPem ?? ''}`;
}

/** A certificate that outlives its CA would be refused on the day the CA ends, long before its own renewal. */
function dates(order: SigningOrder, ca: SigningCa): { notBefore: Date; notAfter: Date } {
  const now = order.clock.wall();
  return {
    notBefore: new Date(Math.max(now - backdateMs(order.profile.validityMs), ca.certificate.notBefore.getTime())),
    notAfter: new Date(Math.min(now + order.profile.validityMs, ca.certificate.notAfter.getTime())),
  };
}

async function extensions(profile: CertificateProfile, publicKey: x509.PublicKey, ca: SigningCa): Promise<x509.Extension[]> {
  const usage = { server: x509.ExtendedKeyUsage.serverAuth, client: x509.ExtendedKeyUsage.clientAuth };
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension(profile.usages.map((u) => usage[u])),
    ...subjectAlternativeNames(profile),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
    await x509.AuthorityKeyIdentifierExtension.create(ca.certificate.publicKey),
  ];
}
