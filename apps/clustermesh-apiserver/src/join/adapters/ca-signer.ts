import type { Clock } from '@isthmus/core';
import { CaDirectory, type CertificateProfile, signRequest } from '@isthmus/crypto';
import type { Signer } from '../ports.ts';

/** Signs with the CA in a folder. The files are read for each signature, so that a changed CA is used at once. */
export class CaSigner implements Signer {
  readonly #directory: CaDirectory;
  readonly #clock: Clock;
  readonly #validityMs: number | undefined;

  /** @param validityMs life of what is signed; what the profile says when absent */
  constructor(dir: string, clock: Clock, validityMs?: number) {
    this.#directory = new CaDirectory(dir);
    this.#clock = clock;
    this.#validityMs = validityMs;
  }

  async caBundle(): Promise<string> {
    return await this.#directory.bundle();
  }

  async sign(csrPem: string, profile: CertificateProfile): Promise<string> {
    const validityMs = this.#validityMs ?? profile.validityMs;
    return await signRequest({ ca: await this.#directory.signer(), csrPem, profile: { ...profile, validityMs }, clock: this.#clock });
  }
}
