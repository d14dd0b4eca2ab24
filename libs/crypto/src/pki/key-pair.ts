import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { x509 } from './x509-library.ts';

/** The one kind of key that certificates of the mesh carry: ECDSA on P-256. */
export const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** The signature that goes with {@link KEY_ALGORITHM}. */
export const SIGNING_ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** Makes a P-256 key pair that can be exported. */
export async function newKeyPair(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
}

/** The private half as PKCS#8 PEM. A secret: it goes into a key file and nowhere else. */
export async function privateKeyPem(pair: CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', pair.privateKey), 'PRIVATE KEY');
}

/**
 * Reads a PKCS#8 PEM private key together with its public half.
 * @throws Error when it is no P-256 key
 */
export async function keyPairOf(keyPem: string): Promise<CryptoKeyPair> {
  const spki = createPublicKey(createPrivateKey(keyPem)).export({ type: 'spki', format: 'der' });
  const publicKey = await crypto.subtle.importKey('spki', new Uint8Array(spki), KEY_ALGORITHM, true, ['verify']);
  return { privateKey: await signingKey(keyPem), publicKey };
}

/** Reads a PKCS#8 PEM private key for signing. */
export async function signingKey(keyPem: string): Promise<CryptoKey> {
  return await crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(keyPem), KEY_ALGORITHM, false, ['sign']);
}

/** True when the text is a private key of the one kind that there is. */
export function isUsableKey(keyPem: string): boolean {
  try {
    return createPrivateKey(keyPem).asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false; // half a file; the parser's message could quote it
  }
}

/** True when the private key is the one whose public half the certificate carries. */
export function keyBelongsTo(certPem: string, keyPem: string): boolean {
  const ofKey = createPublicKey(createPrivateKey(keyPem)).export({ type: 'spki', format: 'der' });
  return new X509Certificate(certPem).publicKey.export({ type: 'spki', format: 'der' }).equals(ofKey);
}
