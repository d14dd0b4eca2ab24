import type { Clock } from '@isthmus/core';
import type * as x509 from '@peculiar/x509';
import type { CertificateProfile } from './certificate-profile.ts';
import { provenPublicKey } from './certificate-request.ts';
import { type CaKeyPair, openCa, type SigningCa } from './cluster-ca.ts';
import { SIGNING_ALGORITHM } from './key-pair.ts';
import { randomSerial } from './serial-number.ts';
import { backdateMs } from './validity.ts';
import { type X509Library, x509Library } from './x509-library.ts';

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
  const library = await x509Library();
  const certificate = await library.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: [{ CN: [order.profile.commonName] }],
    issuer: ca.certificate.subjectName.toJSON(),
    ...dates(order, ca),
    signingAlgorithm: SIGNING_ALGORITHM,
    publicKey,
    signingKey: ca.key,
    extensions: await extensions(library, order.profile, publicKey, ca),
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

async function extensions(
  library: X509Library,
  profile: CertificateProfile,
  publicKey: x509.PublicKey,
  ca: SigningCa,
): Promise<x509.Extension[]> {
  const usage = { server: library.ExtendedKeyUsage.serverAuth, client: library.ExtendedKeyUsage.clientAuth };
  return [
    new library.BasicConstraintsExtension(false, undefined, true),
    new library.KeyUsagesExtension(library.KeyUsageFlags.digitalSignature, true),
    new library.ExtendedKeyUsageExtension(profile.usages.map((u) => usage[u])),
    ...alternativeNames(library, profile),
    await library.SubjectKeyIdentifierExtension.create(publicKey),
    await library.AuthorityKeyIdentifierExtension.create(ca.certificate.publicKey),
  ];
}

/** The extension for alternative names, or nothing when there are none. */
function alternativeNames(library: X509Library, { dnsNames, ips, uris }: CertificateProfile): x509.Extension[] {
  const all: x509.JsonGeneralNames = [
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...ips.map((value) => ({ type: 'ip' as const, value })),
    ...uris.map((value) => ({ type: 'url' as const, value })),
  ];
  return all.length === 0 ? [] : [new library.SubjectAlternativeNameExtension(all)];
}
