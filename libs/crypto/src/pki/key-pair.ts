import { createPrivateKey, createPublicKey, generateKeyPair, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';

/** The one kind of key that certificates of the mesh carry: ECDSA on P-256. */
const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** The signature that goes with it. */
export const SIGNING_ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** Makes a private key, PKCS#8 PEM. A secret: it goes into a key file and nowhere else. */
export async function newPrivateKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** Reads a private key for signing, together with its public half. @throws Error when it is no P-256 key */
export async function signingKeys(keyPem: string): Promise<CryptoKeyPair> {
  const key = createPrivateKey(keyPem);
  const [pkcs8, spki] = [key.export({ type: 'pkcs8', format: 'der' }), createPublicKey(key).export({ type: 'spki', format: 'der' })];
  return {
    privateKey: await crypto.subtle.importKey('pkcs8', new Uint8Array(pkcs8), KEY_ALGORITHM, false, ['sign']),
    publicKey: await crypto.subtle.importKey('spki', new Uint8Array(spki), KEY_ALGORITHM, true, ['verify']),
  };
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
