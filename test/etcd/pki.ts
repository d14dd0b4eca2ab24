import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@isthmus/core';
import {
  type CaKeyPair,
  type CertificateProfile,
  clientProfile,
  createClusterCa,
  etcdServerProfile,
  newKeyAndRequest,
  requestForKey,
  signRequest,
  writeCertificateFile,
} from '@isthmus/crypto';

/** A certificate and its key on disk. */
export interface CertificateFiles {
  certFile: string;
  keyFile: string;
}

/** A CA of a test with a server certificate for loopback, and client certificates as they are asked for. */
export class TestPki {
  readonly folder: string;
  readonly caFile: string;
  readonly #ca: CaKeyPair;
  server!: CertificateFiles;

  private constructor(folder: string, ca: CaKeyPair) {
    this.folder = folder;
    this.caFile = join(folder, 'ca.crt');
    this.#ca = ca;
  }

  /** Makes a CA and a server certificate in a folder of its own. */
  static async create(): Promise<TestPki> {
    const folder = await mkdtemp(join(tmpdir(), 'isthmus-pki-'));
    const pki = new TestPki(folder, await createClusterCa({ cluster: 'test', clock: systemClock }));
    await writeFile(pki.caFile, pki.#ca.certPem);
    pki.server = await pki.issue('server', etcdServerProfile({ ips: ['127.0.0.1'] }));
    return pki;
  }

  /** The client certificate of a user; made anew each time, in the same files. */
  client(user: string): Promise<CertificateFiles> {
    return this.issue(`client-${user}`, clientProfile(user));
  }

  /** Signs a certificate and writes it over what is there under this file name. */
  async issue(file: string, profile: CertificateProfile): Promise<CertificateFiles> {
    const { keyPem, csrPem } = await newKeyAndRequest({ commonName: profile.commonName });
    const certPem = await signRequest({ ca: this.#ca, csrPem, profile, clock: systemClock });
    const files = { certFile: join(this.folder, `${file}.crt`), keyFile: join(this.folder, `${file}.key`) };
    await writeFile(files.certFile, certPem);
    await writeFile(files.keyFile, keyPem, { mode: 0o600 });
    return files;
  }

  /** Signs another certificate for the key of one that was issued, and puts it in the place of that one by one rename. */
  async renew({ certFile, keyFile }: CertificateFiles, profile: CertificateProfile): Promise<void> {
    const csrPem = requestForKey(await readFile(keyFile, 'utf8'), { commonName: profile.commonName });
    await writeCertificateFile(certFile, await signRequest({ ca: this.#ca, csrPem, profile, clock: systemClock }));
  }

  /** Removes the folder. */
  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
