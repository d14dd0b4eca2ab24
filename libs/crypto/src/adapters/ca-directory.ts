import { join } from 'node:path';
import { CodedError } from '@isthmus/core';
import { splitPem } from '../pki/ca-bundle.ts';
import type { CaKeyPair } from '../pki/cluster-ca.ts';
import { keyBelongsTo } from '../pki/key-pair.ts';
import { CA_KEY_MISMATCH } from '../pki/pki.errors.ts';
import { readCertificateFile, readIfPresent, readKeyFile, writeCertificateFile, writeKeyFile } from './key-file.ts';

/**
 * The folder of a cluster's CA: `ca.crt` (the bundle that the cluster trusts; during a change of CA it holds two) and `ca.key`, the key of
 * the first CA in it. Signing always uses that first one.
 */
export class CaDirectory {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  get certPath(): string {
    return join(this.#dir, 'ca.crt');
  }

  get keyPath(): string {
    return join(this.#dir, 'ca.key');
  }

  /** True when there is a CA here. */
  async exists(): Promise<boolean> {
    return (await readIfPresent(this.certPath)) !== undefined;
  }

  /** All CAs that this cluster trusts, PEM. @throws CodedError KEY_FILE_MISSING */
  async bundle(): Promise<string> {
    return await readCertificateFile(this.certPath);
  }

  /** The CA that signs. @throws CodedError KEY_FILE_MISSING, KEY_FILE_OPEN, CA_KEY_MISMATCH */
  async signer(): Promise<CaKeyPair> {
    const [certPem] = splitPem(await this.bundle());
    const keyPem = await readKeyFile(this.keyPath);
    if (certPem === undefined || !keyBelongsTo(certPem, keyPem)) {
      throw new CodedError(CA_KEY_MISMATCH, `${this.keyPath} is not the key of the first CA in ${this.certPath}`, { object: this.#dir });
    }
    return { certPem, keyPem };
  }

  /** Stores a CA with its key; the key first, so that a certificate never stands there without one. */
  async write(ca: CaKeyPair): Promise<void> {
    await writeKeyFile(this.keyPath, ca.keyPem);
    await writeCertificateFile(this.certPath, ca.certPem);
  }
}
