import { X509Certificate } from 'node:crypto';
import { CodedError } from '@isthmus/core';
import { type AlternativeNames, decodeAlternativeNames } from './alternative-names.ts';
import { contextTag, type DerElement, derElements, derOid, TAG } from './der.ts';
import { CERTIFICATE_UNREADABLE } from './pki.errors.ts';

/** What people and programs need to know of a certificate. Holds no secret. */
export interface CertificateFacts {
  /** Common name of the subject; empty when there is none. */
  cn: string;
  /** Common name of the issuer. */
  issuer: string;
  sans: AlternativeNames;
  /** Wall time in milliseconds since 1970. */
  notBefore: number;
  /** Wall time in milliseconds since 1970. */
  notAfter: number;
  /** SHA-256 of the DER form, 64 lower-case hex digits; `openssl x509 -fingerprint -sha256` prints the same. */
  fingerprintSha256: string;
  /** Serial number, lower-case hex. */
  serial: string;
  isCa: boolean;
  /** How many CAs may follow below this one; undefined: it does not say. */
  pathLength: number | undefined;
  /** Hex identifier of the certificate's key, and of the key that signed it; empty when the certificate does not say. */
  keyId: string;
  issuerKeyId: string;
  usages: { server: boolean; client: boolean };
}

/** Where a certificate says what (RFC 5280 §4.1, §4.2). */
const EXTENSIONS = contextTag(3, true);
const VERSION = contextTag(0, true);
const KEY_IDENTIFIER = contextTag(0);
const OID = {
  commonName: '2.5.4.3',
  keyId: '2.5.29.14',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  issuerKeyId: '2.5.29.35',
} as const;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/**
 * Reads the first certificate of a PEM text.
 * @throws CodedError CERTIFICATE_UNREADABLE
 */
export function certificateFacts(pem: string, object = 'certificate'): CertificateFacts {
  try {
    return factsOf(new X509Certificate(pem));
  } catch (cause) {
    throw new CodedError(CERTIFICATE_UNREADABLE, `${object} is not a readable PEM certificate`, { object, cause });
  }
}

function factsOf(certificate: X509Certificate): CertificateFacts {
  const { issuer, subject, extensions } = partsOf(certificate.raw);
  const sans = extensions.get(OID.alternativeNames);
  const usages = certificate.keyUsage ?? []; // the extended ones, by node's naming
  return {
    cn: commonName(subject),
    issuer: commonName(issuer),
    sans: sans ? decodeAlternativeNames(sans) : { dns: [], ips: [], uris: [] },
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
    fingerprintSha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    serial: certificate.serialNumber.toLowerCase(),
    isCa: certificate.ca,
    pathLength: pathLength(extensions.get(OID.basicConstraints)),
    keyId: hex(inner(extensions.get(OID.keyId))?.content),
    issuerKeyId: hex(inside(inner(extensions.get(OID.issuerKeyId))).find(({ tag }) => tag === KEY_IDENTIFIER)?.content),
    usages: { server: usages.includes(SERVER_AUTH), client: usages.includes(CLIENT_AUTH) },
  };
}

interface Parts {
  issuer: DerElement;
  subject: DerElement;
  /** Values by object identifier. */
  extensions: { get(oid: string): Uint8Array | undefined };
}

function partsOf(raw: Uint8Array): Parts {
  const [certificate] = derElements(raw);
  const [body] = inside(certificate);
  const fields = inside(body).filter(({ tag }) => tag !== VERSION);
  // serial number, signature algorithm, issuer, validity, subject, key, extensions
  const [, , issuer, , subject] = fields as [DerElement, DerElement, DerElement, DerElement, DerElement];
  const extensions = inside(inner(fields.find(({ tag }) => tag === EXTENSIONS)?.content)).map(inside);
  const byOid = new Map(extensions.map((parts) => [hex(parts[0]?.content), parts.at(-1)?.content]));
  return { issuer, subject, extensions: { get: (oid) => byOid.get(oidHex(oid)) } };
}

/** The last common name of a distinguished name (RFC 5280 §4.1.2.4). */
function commonName(name: DerElement): string {
  const wanted = oidHex(OID.commonName);
  const attributes = inside(name).flatMap(inside).map(inside);
  const value = attributes.findLast(([type]) => hex(type?.content) === wanted)?.[1];
  return value ? Buffer.from(value.content).toString(value.tag === TAG.utf8 ? 'utf8' : 'latin1') : '';
}

function pathLength(constraints: Uint8Array | undefined): number | undefined {
  const length = inside(inner(constraints)).find(({ tag }) => tag === TAG.integer);
  return length && Number.parseInt(hex(length.content), 16);
}

function inner(bytes: Uint8Array | undefined): DerElement | undefined {
  return bytes && derElements(bytes)[0];
}

function inside(element: DerElement | undefined): DerElement[] {
  return element ? derElements(element.content) : [];
}

function oidHex(oid: string): string {
  return hex(inner(derOid(oid))?.content);
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex');
}
