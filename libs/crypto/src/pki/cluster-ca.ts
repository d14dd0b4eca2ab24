import { type Clock, CodedError } from '@isthmus/core';
import { certificateFacts, parseCertificate } from './certificate-facts.ts';
import { CA_VALIDITY_MS } from './certificate-profile.ts';
import { keyBelongsTo, newKeyPair, privateKeyPem, SIGNING_ALGORITHM, signingKey } from './key-pair.ts';
import { CA_BUNDLE_INVALID, CA_KEY_MISMATCH } from './pki.errors.ts';
import { randomSerial } from './serial-number.ts';
import { CLOCK_SKEW_MS, checkValidity } from './validity.ts';
import { x509 } from './x509-library.ts';

/** A CA as it lies on disk. `keyPem` is the cluster's deepest secret. */
export interface CaKeyPair {
  certPem: string;
  keyPem: string;
}

/** A CA that is ready to sign. */
export interface SigningCa {
  certificate: x509.X509Certificate;
  key: CryptoKey;
}

/** Makes the CA of a cluster, common name `isthmus-ca-<cluster>`; `validity` in milliseconds, ten years unless given. */
export async function createClusterCa(options: { cluster: string; clock: Clock; validity?: number }): Promise<CaKeyPair> {
  const keys = await newKeyPair();
  const now = options.clock.wall();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: [{ CN: [`isthmus-ca-${options.cluster}`] }],
    notBefore: new Date(now - CLOCK_SKEW_MS),
    notAfter: new Date(now + (options.validity ?? CA_VALIDITY_MS)),
    signingAlgorithm: SIGNING_ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certPem: `${certificate.toString('pem')}\n`, keyPem: await privateKeyPem(keys) };
}

/**
 * Checks that a CA can sign now, and readies its key.
 * @throws CodedError CA_KEY_MISMATCH, CA_BUNDLE_INVALID (not a CA), CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID, CERTIFICATE_UNREADABLE
 */
export async function openCa(ca: CaKeyPair, clock: Clock): Promise<SigningCa> {
  const facts = certificateFacts(ca.certPem, 'ca.crt');
  const object = facts.cn;
  if (!facts.isCa) throw new CodedError(CA_BUNDLE_INVALID, `${object} is not the certificate of a CA`, { object });
  if (!keyMatches(ca)) throw new CodedError(CA_KEY_MISMATCH, `the private key beside ${object} is not its key`, { object });
  checkValidity(facts, clock, object);
  return { certificate: parseCertificate(ca.certPem), key: await signingKey(ca.keyPem) };
}

function keyMatches(ca: CaKeyPair): boolean {
  try {
    return keyBelongsTo(ca.certPem, ca.keyPem);
  } catch {
    // An unreadable key is as useless as a foreign one; the parser's message could quote the file, so it is not passed on.
    return false;
  }
}
