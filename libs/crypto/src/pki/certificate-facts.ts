import { createHash } from 'node:crypto';
import { CodedError } from '@isthmus/core';
import { CERTIFICATE_UNREADABLE } from './pki.errors.ts';
import { x509 } from './x509-library.ts';

/** What people and programs need to know of a certificate. Holds no secret. */
export interface CertificateFacts {
  /** Common name of the subject; empty when there is none. */
  cn: string;
  /** Common name of the issuer. */
  issuer: string;
  sans: { dns: string[]; ips: string[]; uris: string[] };
  /** Wall time in milliseconds since 1970. */
  notBefore: number;
  /** Wall time in milliseconds since 1970. */
  notAfter: number;
  /** SHA-256 of the DER form, 64 lower-case hex digits; `openssl x509 -fingerprint -sha256` prints the same. */
  fingerprintSha256: string;
  /** Serial number, lower-case hex. */
  serial: string;
  isCa: boolean;
  /** Hex identifier of the certificate's key, and of the key that signed it; empty when the certificate does not say. */
  keyId: string;
  issuerKeyId: string;
  usages: { server: boolean; client: boolean };
}

/**
 * Reads the first certificate of a PEM text.
 * @throws CodedError CERTIFICATE_UNREADABLE
 */
export function certificateFacts(pem: string, object = 'certificate'): CertificateFacts {
  const certificate = parseCertificate(pem, object);
  const extended = certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages ?? [];
  return {
    cn: certificate.subjectName.getField('CN')[0] ?? '',
    issuer: certificate.issuerName.getField('CN')[0] ?? '',
    sans: alternativeNames(certificate),
    notBefore: certificate.notBefore.getTime(),
    notAfter: certificate.notAfter.getTime(),
    fingerprintSha256: createHash('sha256').update(new Uint8Array(certificate.rawData)).digest('hex'),
    serial: certificate.serialNumber,
    isCa: certificate.getExtension(x509.BasicConstraintsExtension)?.ca ?? false,
    keyId: certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId ?? '',
    issuerKeyId: certificate.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId ?? '',
    usages: {
      server: extended.includes(x509.ExtendedKeyUsage.serverAuth),
      client: extended.includes(x509.ExtendedKeyUsage.clientAuth),
    },
  };
}

/**
 * Reads the first certificate of a PEM text into the library's form.
 * @throws CodedError CERTIFICATE_UNREADABLE
 */
export function parseCertificate(pem: string, object = 'certificate'): x509.X509Certificate {
  try {
    return new x509.X509Certificate(x509.PemConverter.decodeFirst(pem));
  } catch (cause) {
    throw new CodedError(CERTIFICATE_UNREADABLE, `${object} is not a readable PEM certificate`, { object, cause });
  }
}

function alternativeNames(certificate: x509.X509Certificate): CertificateFacts['sans'] {
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  const ofType = (type: string): string[] => names.filter((n) => n.type === type).map((n) => n.value);
  return { dns: ofType('dns'), ips: ofType('ip'), uris: ofType('url') };
}
