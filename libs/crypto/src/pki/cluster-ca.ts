import { type Clock, CodedError } from '@isthmus/core';
import type * as x509 from '@peculiar/x509';
import { certificateFacts } from './certificate-facts.ts';
import { CA_VALIDITY_MS } from './certificate-profile.ts';
import { keyBelongsTo, newPrivateKey, SIGNING_ALGORITHM, signingKeys } from './key-pair.ts';
import { CA_BUNDLE_INVALID, CA_KEY_MISMATCH, CA_PATH_LENGTH } from './pki.errors.ts';
import { randomSerial } from './serial-number.ts';
import { CLOCK_SKEW_MS, checkValidity } from './validity.ts';
import { x509Library } from './x509-library.ts';

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
  return await selfSigned(await newPrivateKey(), () => `isthmus-ca-${cluster}`, clock, validity);
}

/**
 * Makes the CA that takes the place of another one, common name `isthmus-ca-<cluster>-<beginning of its key's identifier>`, and has the former
 * one vouch for it (RFC 4210 §4.4, "new with old"): both are good from the first moment, whatever part of the mesh knows which.
 * @throws CodedError CA_PATH_LENGTH, and those of {@link openCa}
 */
export async function createSuccessorCa({ cluster, clock, validity }: NewCa, former: CaKeyPair): Promise<Required<CaKeyPair>> {
  const elder = await openCa(former, clock);
  const facts = certificateFacts(former.certPem);
  if (facts.pathLength === 0) throw new CodedError(CA_PATH_LENGTH, `${facts.cn} may sign no other CA`, { object: facts.cn });
  const ca = await selfSigned(await newPrivateKey(), (keyId) => `isthmus-ca-${cluster}-${keyId.slice(0, 8)}`, clock, validity);
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
  const { PemConverter, X509Certificate } = await x509Library();
  const { privateKey } = await signingKeys(ca.keyPem);
  return { certificate: new X509Certificate(PemConverter.decodeFirst(ca.certPem)), key: privateKey };
}

/** @param nameOf the common name, given the identifier of the key */
async function selfSigned(keyPem: string, nameOf: (keyId: string) => string, clock: Clock, validity = CA_VALIDITY_MS): Promise<CaKeyPair> {
  const { SubjectKeyIdentifierExtension, X509CertificateGenerator } = await x509Library();
  const keys = await signingKeys(keyPem);
  const { keyId } = await SubjectKeyIdentifierExtension.create(keys.publicKey);
  const now = clock.wall();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: [{ CN: [nameOf(keyId)] }],
    notBefore: new Date(now - CLOCK_SKEW_MS),
    notAfter: new Date(now + validity),
    signingAlgorithm: SIGNING_ALGORITHM,
    keys,
    extensions: await caExtensions(keys.publicKey, SUCCESSOR_ONLY),
  });
  return { certPem: `${certificate.toString('pem')}\n`, keyPem };
}

/** The certificate of a CA as another one signs it: it ends with whichever of the two ends first. */
async function vouchedFor(ca: CaKeyPair, elder: SigningCa): Promise<string> {
  const { AuthorityKeyIdentifierExtension, PemConverter, X509Certificate, X509CertificateGenerator } = await x509Library();
  const own = new X509Certificate(PemConverter.decodeFirst(ca.certPem));
  const certificate = await X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: own.subjectName.toJSON(),
    issuer: elder.certificate.subjectName.toJSON(),
    notBefore: new Date(Math.max(own.notBefore.getTime(), elder.certificate.notBefore.getTime())),
    notAfter: new Date(Math.min(own.notAfter.getTime(), elder.certificate.notAfter.getTime())),
    signingAlgorithm: SIGNING_ALGORITHM,
    publicKey: own.publicKey,
    signingKey: elder.key,
    extensions: [...(await caExtensions(own.publicKey, 0)), await AuthorityKeyIdentifierExtension.create(elder.certificate.publicKey)],
  });
  return `${certificate.toString('pem')}\n`;
}

/** Path length of a cluster's CA: below it comes at most the certificate of its successor. */
const SUCCESSOR_ONLY = 1;

async function caExtensions(publicKey: x509.PublicKeyType, pathLength: number): Promise<x509.Extension[]> {
  const { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, SubjectKeyIdentifierExtension } = await x509Library();
  return [
    new BasicConstraintsExtension(true, pathLength, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    await SubjectKeyIdentifierExtension.create(publicKey),
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
