import { type Clock, CodedError } from '@isthmus/core';
import { certificateFacts, parseCertificate } from './certificate-facts.ts';
import { CA_VALIDITY_MS } from './certificate-profile.ts';
import { keyBelongsTo, newKeyPair, privateKeyPem, SIGNING_ALGORITHM, signingKey } from './key-pair.ts';
import { CA_BUNDLE_INVALID, CA_KEY_MISMATCH, CA_PATH_LENGTH } from './pki.errors.ts';
import { randomSerial } from './serial-number.ts';
import { CLOCK_SKEW_MS, checkValidity } from './validity.ts';
import { x509 } from './x509-library.ts';

/** A CA as it lies on disk. `keyPem` is the cluster's deepest secret. */
export interface CaKeyPair {
  certPem: string;
  keyPem: string;
  /**
   * Certificates that follow everything that the CA signs, PEM: its own, signed by the CA before it. Whoever trusts only the former CA accepts
   * the new one's certificates by it.
   */
  chainPem?: string;
}

/** A CA that is ready to sign. */
export interface SigningCa {
  certificate: x509.X509Certificate;
  key: CryptoKey;
}

/** What a new CA is made of. */
export interface NewCa {
  cluster: string;
  clock: Clock;
  /** Milliseconds; ten years unless given. */
  validity?: number;
}

/** Makes the CA of a cluster, common name `isthmus-ca-<cluster>`. */
export async function createClusterCa({ cluster, clock, validity }: NewCa): Promise<CaKeyPair> {
  const keys = await newKeyPair();
  return await selfSigned(keys, `isthmus-ca-${cluster}`, clock, validity ?? CA_VALIDITY_MS);
}

/**
 * Makes the CA that takes the place of another one, common name `isthmus-ca-<cluster>-<beginning of its key's identifier>`, and has the former
 * one vouch for it (RFC 4210 §4.4, "new with old"): both are good from the first moment, whatever part of the mesh knows which.
 * @throws CodedError CA_PATH_LENGTH, and those of {@link openCa}
 */
export async function createSuccessorCa({ cluster, clock, validity }: NewCa, former: CaKeyPair): Promise<Required<CaKeyPair>> {
  const elder = await openCa(former, clock);
  if (elder.certificate.getExtension(x509.BasicConstraintsExtension)?.pathLength === 0) {
    const object = certificateFacts(former.certPem).cn;
    throw new CodedError(CA_PATH_LENGTH, `${object} may sign no other CA`, { object });
  }
  const keys = await newKeyPair();
  const { keyId } = await x509.SubjectKeyIdentifierExtension.create(keys.publicKey);
  const ca = await selfSigned(keys, `isthmus-ca-${cluster}-${keyId.slice(0, 8)}`, clock, validity ?? CA_VALIDITY_MS);
  return { ...ca, chainPem: await vouchedFor(ca, elder) };
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

async function selfSigned(keys: CryptoKeyPair, name: string, clock: Clock, validity: number): Promise<CaKeyPair> {
  const now = clock.wall();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: [{ CN: [name] }],
    notBefore: new Date(now - CLOCK_SKEW_MS),
    notAfter: new Date(now + validity),
    signingAlgorithm: SIGNING_ALGORITHM,
    keys,
    extensions: await caExtensions(keys.publicKey, SUCCESSOR_ONLY),
  });
  return { certPem: `${certificate.toString('pem')}\n`, keyPem: await privateKeyPem(keys) };
}

/** The certificate of a CA as another one signs it: it ends with whichever of the two ends first. */
async function vouchedFor(ca: CaKeyPair, elder: SigningCa): Promise<string> {
  const own = parseCertificate(ca.certPem);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: own.subjectName.toJSON(),
    issuer: elder.certificate.subjectName.toJSON(),
    notBefore: new Date(Math.max(own.notBefore.getTime(), elder.certificate.notBefore.getTime())),
    notAfter: new Date(Math.min(own.notAfter.getTime(), elder.certificate.notAfter.getTime())),
    signingAlgorithm: SIGNING_ALGORITHM,
    publicKey: own.publicKey,
    signingKey: elder.key,
    extensions: [...(await caExtensions(own.publicKey, 0)), await x509.AuthorityKeyIdentifierExtension.create(elder.certificate.publicKey)],
  });
  return `${certificate.toString('pem')}\n`;
}

/** Path length of a cluster's CA: below it comes at most the certificate of its successor. */
const SUCCESSOR_ONLY = 1;

async function caExtensions(publicKey: x509.PublicKeyType, pathLength: number): Promise<x509.Extension[]> {
  return [
    new x509.BasicConstraintsExtension(true, pathLength, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
  ];
}

function keyMatches(ca: CaKeyPair): boolean {
  try {
    return keyBelongsTo(ca.certPem, ca.keyPem);
  } catch {
    // An unreadable key is as useless as a foreign one; the parser's message could quote the file, so it is not passed on.
    return false;
  }
}
