import { CodedError } from '@isthmus/core';
import { keyPairOf, newKeyPair, privateKeyPem, SIGNING_ALGORITHM } from './key-pair.ts';
import { KEY_UNREADABLE, REQUEST_INVALID, REQUEST_UNPROVEN } from './pki.errors.ts';
import { x509 } from './x509-library.ts';

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
  const keys = await newKeyPair();
  return { keyPem: await privateKeyPem(keys), csrPem: await requestOf(keys, names) };
}

/**
 * Makes a PKCS#10 request for a key that is there already. Renewal keeps the key: the certificate alone is replaced, by one rename, and at no
 * instant do a key and a certificate lie side by side that do not belong together (docs/adr/0008-renewal-keeps-the-key.md).
 * @throws CodedError KEY_UNREADABLE
 */
export async function requestForKey(keyPem: string, names: RequestedNames): Promise<string> {
  try {
    return await requestOf(await keyPairOf(keyPem), names);
  } catch {
    // What the parser says could quote the key.
    throw new CodedError(KEY_UNREADABLE, `the private key of ${names.commonName} is no readable P-256 key`, { object: names.commonName });
  }
}

async function requestOf(keys: CryptoKeyPair, names: RequestedNames): Promise<string> {
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [names.commonName] }],
    keys,
    signingAlgorithm: SIGNING_ALGORITHM,
    extensions: subjectAlternativeNames(names),
  });
  return `${request.toString('pem')}\n`;
}

/**
 * Reads a request, checks its kind of key and that its sender holds the private half.
 * @returns the public key: nothing else of a request is to be believed
 * @throws CodedError REQUEST_INVALID, REQUEST_UNPROVEN
 */
export async function provenPublicKey(csrPem: string, object: string): Promise<x509.PublicKey> {
  const request = parseRequest(csrPem, object);
  const algorithm = request.publicKey.algorithm as { name: string; namedCurve?: string };
  if (algorithm.name !== 'ECDSA' || algorithm.namedCurve !== 'P-256') {
    throw new CodedError(REQUEST_INVALID, `the request for ${object} carries a key that is not P-256`, { object });
  }
  if (!(await signatureHolds(request))) {
    throw new CodedError(REQUEST_UNPROVEN, `the request for ${object} is not signed by its own key`, { object });
  }
  return request.publicKey;
}

/** The extension for alternative names, or nothing when there are none. */
export function subjectAlternativeNames(names: Omit<RequestedNames, 'commonName'>): x509.Extension[] {
  const all: x509.JsonGeneralNames = [
    ...(names.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(names.ips ?? []).map((value) => ({ type: 'ip' as const, value })),
    ...(names.uris ?? []).map((value) => ({ type: 'url' as const, value })),
  ];
  return all.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(all)];
}

function parseRequest(csrPem: string, object: string): x509.Pkcs10CertificateRequest {
  try {
    return new x509.Pkcs10CertificateRequest(x509.PemConverter.decodeFirst(csrPem));
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
