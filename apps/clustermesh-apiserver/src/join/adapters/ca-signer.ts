import type { Clock } from '@isthmus/core';
import { CaDirectory, type CertificateProfile, signRequest } from '@isthmus/crypto';
import type { Signer } from '../ports.ts';

/** Signs with the CA in a folder. The files are read for each signature, so that a changed CA is used at once. */
export class CaSigner implements Signer {
  readonly #directory: CaDirectory;
  readonly #clock: Clock;

  constructor(dir: string, clock: Clock) {
    this.#directory = new CaDirectory(dir);
    this.#clock = clock;
  }

  async caBundle(): Promise<string> {
    return await this.#directory.bundle();
  }

  async sign(csrPem: string, profile: CertificateProfile): Promise<string> {
    return await signRequest({ ca: await this.#directory.signer(), csrPem, profile, clock: this.#clock });
  }
}
