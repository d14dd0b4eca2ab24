import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, CodedError } from '@isthmus/core';
import { splitPem } from '../pki/ca-bundle.ts';
import { certificateFacts } from '../pki/certificate-facts.ts';
import { clientProfile } from '../pki/certificate-profile.ts';
import { newKeyAndRequest } from '../pki/certificate-request.ts';
import { type CaKeyPair, createSuccessorCa } from '../pki/cluster-ca.ts';
import { keyBelongsTo } from '../pki/key-pair.ts';
import { CA_CHANGE_NONE, CA_CHANGE_UNDER_WAY, CA_KEY_MISMATCH } from '../pki/pki.errors.ts';
import { signRequest } from '../pki/sign-request.ts';
import { readCertificateFile, readIfPresent, readKeyFile, writeCertificateFile, writeKeyFile } from './key-file.ts';

/** Common name of the certificate that tells whether a server still trusts a former CA. It is nobody's. */
const FORMER = 'former-ca-probe';

/**
 * The folder of a cluster's CA: `ca.crt` (the bundle that the cluster trusts; during a change of CA it holds two) and `ca.key`, the key of
 * the first CA in it. Signing always uses that first one.
 *
 * After a change there are also `ca-cross.crt`, the CA's certificate signed by the former CA, and `former.crt` with `former.key`, a certificate
 * of the former CA that nobody accepts once that CA is forgotten.
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

  /** Files of the certificate that shows whether somebody still trusts the former CA; absent when there was none. */
  get former(): { cert: string; key: string } {
    return { cert: join(this.#dir, 'former.crt'), key: join(this.#dir, 'former.key') };
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
    const keyPem = certPem === undefined ? undefined : await this.#keyOf(certPem);
    if (certPem === undefined || keyPem === undefined) {
      throw new CodedError(CA_KEY_MISMATCH, `${this.keyPath} is not the key of the first CA in ${this.certPath}`, { object: this.#dir });
    }
    return { certPem, keyPem, ...(await this.#chain(certPem)) };
  }

  /** Stores a CA with its key; the key first, so that a certificate never stands there without one. */
  async write(ca: CaKeyPair): Promise<void> {
    await writeKeyFile(this.keyPath, ca.keyPem);
    await writeCertificateFile(this.certPath, ca.certPem);
  }

  /**
   * Gives the cluster a new CA. From then on it signs, and both are trusted. The former one's key is gone afterwards. Every step leaves a folder
   * that can sign, wherever the process is killed: it is the bundle, replaced by one rename, that says who does.
   * @throws CodedError CA_CHANGE_UNDER_WAY, CA_PATH_LENGTH, CA_KEY_MISMATCH, CERTIFICATE_EXPIRED (the CA's)
   */
  async rotate(cluster: string, clock: Clock): Promise<void> {
    const bundle = await this.bundle();
    if (splitPem(bundle).length > 1) throw new CodedError(CA_CHANGE_UNDER_WAY, 'two CAs are trusted already', { object: this.certPath });
    const former = await this.signer();
    const next = await createSuccessorCa({ cluster, clock }, former);
    await this.#writeProbe(former, clock);
    await writeKeyFile(this.#nextKeyPath, next.keyPem);
    await writeCertificateFile(this.#crossPath, next.chainPem);
    await writeCertificateFile(this.certPath, next.certPem + bundle);
    await rename(this.#nextKeyPath, this.keyPath);
  }

  /** Stops trusting the former CA. @throws CodedError CA_CHANGE_NONE */
  async retire(): Promise<void> {
    const [current, ...former] = splitPem(await this.bundle());
    if (current === undefined || former.length === 0) throw new CodedError(CA_CHANGE_NONE, 'one CA is trusted', { object: this.certPath });
    // A rotation that was killed before its last step is finished first: the key must lie where backups look for it.
    if ((await readIfPresent(this.#nextKeyPath)) !== undefined) await rename(this.#nextKeyPath, this.keyPath);
    await writeCertificateFile(this.certPath, current);
  }

  /** Removes the certificate of the former CA: nobody trusts that one any more. */
  async forgetFormer(): Promise<void> {
    for (const file of [this.former.cert, this.former.key]) await rm(file, { force: true });
  }

  /** During a change the key may still lie where it is made. */
  async #keyOf(certPem: string): Promise<string | undefined> {
    for (const path of [this.keyPath, this.#nextKeyPath]) {
      if (path !== this.keyPath && (await readIfPresent(path)) === undefined) continue;
      const keyPem = await readKeyFile(path);
      if (keyBelongsTo(certPem, keyPem)) return keyPem;
    }
    return undefined;
  }

  async #chain(certPem: string): Promise<{ chainPem?: string }> {
    const chainPem = await readIfPresent(this.#crossPath);
    if (chainPem === undefined) return {};
    return certificateFacts(chainPem, this.#crossPath).keyId === certificateFacts(certPem, this.certPath).keyId ? { chainPem } : {};
  }

  async #writeProbe(former: CaKeyPair, clock: Clock): Promise<void> {
    const { keyPem, csrPem } = await newKeyAndRequest({ commonName: FORMER });
    const certPem = await signRequest({ ca: former, csrPem, profile: clientProfile(FORMER), clock });
    await writeKeyFile(this.former.key, keyPem);
    await writeCertificateFile(this.former.cert, certPem);
  }

  get #nextKeyPath(): string {
    return join(this.#dir, 'ca-next.key');
  }

  get #crossPath(): string {
    return join(this.#dir, 'ca-cross.crt');
  }
}
