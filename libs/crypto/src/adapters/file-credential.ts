import type { Credential, CredentialFiles } from '../join/credential-keeper.ts';
import { readCertificateFile, readKeyFile, writeCertificateFile } from './key-file.ts';

/** Paths of a credential. */
export interface CredentialPaths {
  /** One or more, for the one key. */
  certs: readonly string[];
  key: string;
  ca: string;
}

/** A credential in files of its own, as etcd client configurations name them. Each is replaced as a whole. */
export class FileCredential implements CredentialFiles {
  readonly #paths: CredentialPaths;

  constructor(paths: CredentialPaths) {
    this.#paths = paths;
  }

  async read(): Promise<Credential> {
    const { certs, key, ca } = this.#paths;
    const [caBundle, keyPem] = [await readCertificateFile(ca), await readKeyFile(key)];
    return { caBundle, keyPem, certificates: await Promise.all(certs.map(readCertificateFile)) };
  }

  async writeBundle(caBundle: string): Promise<void> {
    await writeCertificateFile(this.#paths.ca, caBundle);
  }

  async writeCertificates(certificates: readonly string[]): Promise<void> {
    for (const [index, path] of this.#paths.certs.entries()) await writeCertificateFile(path, certificates[index] ?? '');
  }
}
