import { type CertificateProfile, certificateFacts, clientNames } from '@isthmus/crypto';
import type { Signer } from '../join/ports.ts';
import type { IssuedLedger } from './issued-ledger.ts';

/** Signs, and enters into the ledger what other clusters get. What cannot be entered is not handed out: it could not be withdrawn. */
export class RecordingSigner implements Signer {
  readonly #signer: Signer;
  readonly #ledger: IssuedLedger;

  constructor(signer: Signer, ledger: IssuedLedger) {
    this.#signer = signer;
    this.#ledger = ledger;
  }

  caBundle(): Promise<string> {
    return this.#signer.caBundle();
  }

  async sign(csrPem: string, profile: CertificateProfile): Promise<string> {
    const certificate = await this.#signer.sign(csrPem, profile);
    if (profile.commonName.startsWith(clientNames.remote(''))) await this.#ledger.record(certificateFacts(certificate));
    return certificate;
  }
}
