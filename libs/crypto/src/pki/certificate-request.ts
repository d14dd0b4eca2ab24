import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { CodedError } from '@isthmus/core';
import type * as x509 from '@peculiar/x509';
import { encodeAlternativeNames } from './alternative-names.ts';
import { contextTag, der, derOid, TAG } from './der.ts';
import { isUsableKey, newPrivateKey } from './key-pair.ts';
import { KEY_UNREADABLE, REQUEST_INVALID, REQUEST_UNPROVEN } from './pki.errors.ts';
import { x509Library } from './x509-library.ts';

/** Names that a request proposes. The signer's profile decides; they are there for people who read the request. */
export interface RequestedNames {
  commonName: string;
  uris?: readonly string[];
  dnsNames?: readonly string[];
  ips?: readonly string[];
}

/** A new private key and the request for its certificate. `keyPem` stays on the machine that made it. */
export interface KeyAndRequest {
  keyPem: string;
  csrPem: string;
}

/** Makes a P-256 key and a PKCS#10 request signed by it. */
export async function newKeyAndRequest(names: RequestedNames): Promise<KeyAndRequest> {
  const keyPem = await newPrivateKey();
  return { keyPem, csrPem: requestForKey(keyPem, names) };
}

/**
 * Makes a PKCS#10 request for a key that is there already. Renewal keeps the key: the certificate alone is replaced, by one rename, and at no
 * instant do a key and a certificate lie side by side that do not belong together (docs/adr/0010-certificates.md).
 * @throws CodedError KEY_UNREADABLE
 */
export function requestForKey(keyPem: string, names: RequestedNames): string {
  if (!isUsableKey(keyPem)) {
    throw new CodedError(KEY_UNREADABLE, `the private key of ${names.commonName} is no readable P-256 key`, { object: names.commonName });
  }
  const key = createPrivateKey(keyPem);
  const body = requestBody(key, names);
  const signature = der(TAG.bitString, Uint8Array.of(0), sign('sha256', body, key));
  const request = der(TAG.sequence, body, der(TAG.sequence, derOid(ECDSA_WITH_SHA256)), signature);
  const base64 = Buffer.from(request).toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE REQUEST-----\n${base64}\n-----END CERTIFICATE REQUEST-----\n`;
}

/**
 * Reads a request, checks its kind of key and that its sender holds the private half.
 * @returns the public key: nothing else of a request is to be believed
 * @throws CodedError REQUEST_INVALID, REQUEST_UNPROVEN
 */
export async function provenPublicKey(csrPem: string, object: string): Promise<x509.PublicKey> {
  const request = await parseRequest(csrPem, object);
  const algorithm = request.publicKey.algorithm as { name: string; namedCurve?: string };
  if (algorithm.name !== 'ECDSA' || algorithm.namedCurve !== 'P-256') {
    throw new CodedError(REQUEST_INVALID, `the request for ${object} carries a key that is not P-256`, { object });
  }
  if (!(await signatureHolds(request))) {
    throw new CodedError(REQUEST_UNPROVEN, `the request for ${object} is not signed by its own key`, { object });
  }
  return request.publicKey;
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const ALTERNATIVE_NAMES = '2.5.29.17';

/** CertificationRequestInfo (RFC 2986 §4.1). */
function requestBody(key: KeyObject, names: RequestedNames): Uint8Array {
  const version = der(TAG.integer, Uint8Array.of(0));
  const commonName = der(TAG.sequence, derOid(COMMON_NAME), der(TAG.utf8, Buffer.from(names.commonName)));
  const subject = der(TAG.sequence, der(TAG.set, commonName));
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return der(TAG.sequence, version, subject, publicKey, der(contextTag(0, true), ...requestedExtensions(names)));
}

function requestedExtensions({ dnsNames = [], ips = [], uris = [] }: RequestedNames): Uint8Array[] {
  if (dnsNames.length + ips.length + uris.length === 0) return [];
  const names = der(TAG.octetString, encodeAlternativeNames({ dns: dnsNames, ips, uris }));
  const extensions = der(TAG.sequence, der(TAG.sequence, derOid(ALTERNATIVE_NAMES), names));
  return [der(TAG.sequence, derOid(EXTENSION_REQUEST), der(TAG.set, extensions))];
}

async function parseRequest(csrPem: string, object: string): Promise<x509.Pkcs10CertificateRequest> {
  const { PemConverter, Pkcs10CertificateRequest } = await x509Library();
  try {
    return new Pkcs10CertificateRequest(PemConverter.decodeFirst(csrPem));
  } catch (cause) {
    throw new CodedError(REQUEST_INVALID, `the certificate request for ${object} cannot be read`, { object, cause });
  }
}

async function signatureHolds(request: x509.Pkcs10CertificateRequest): Promise<boolean> {
  try {
    return await request.verify();
  } catch {
    // A signature that cannot even be decoded proves nothing.
    return false;
  }
}
