import { type CaKeyPair } from '../pki/cluster-ca.ts';
import { newKeyPair, privateKeyPem, SIGNING_ALGORITHM } from '../pki/key-pair.ts';
import { x509 } from '../pki/x509-library.ts';

/** A CA that may sign no other CA, as other programs make them. */
export async function limitedCa(): Promise<CaKeyPair> {
  const keys = await newKeyPair();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ['limited'] }],
    signingAlgorithm: SIGNING_ALGORITHM,
    keys,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true), await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)],
  });
  return { certPem: `${certificate.toString('pem')}\n`, keyPem: await privateKeyPem(keys) };
}
