import { type CaKeyPair } from '../pki/cluster-ca.ts';
import { newPrivateKey, SIGNING_ALGORITHM, signingKeys } from '../pki/key-pair.ts';
import { x509Library } from '../pki/x509-library.ts';

/** A CA that may sign no other CA, as other programs make them. */
export async function limitedCa(): Promise<CaKeyPair> {
  const x509 = await x509Library();
  const keyPem = await newPrivateKey();
  const keys = await signingKeys(keyPem);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ['limited'] }],
    signingAlgorithm: SIGNING_ALGORITHM,
    keys,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true), await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)],
  });
  return { certPem: `${certificate.toString('pem')}\n`, keyPem };
}
