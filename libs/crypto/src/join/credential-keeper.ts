import { type Clock, CodedError, defineError, delay, messageOf, type Random } from '@isthmus/core';
import { caPin, checkBundle, splitPem } from '../pki/ca-bundle.ts';
import { type CertificateFacts, certificateFacts } from '../pki/certificate-facts.ts';
import { certificateProblem } from '../pki/certificate-problem.ts';
import { requestForKey } from '../pki/certificate-request.ts';
import { lookAgainMs, renewalDue } from '../pki/renewal.ts';
import { verifyCertificate } from '../pki/verify-certificate.ts';
import type { JoinApi } from './join-api.ts';

/** Keeping a certificate failed for a reason that has no code of its own. */
export const CERTIFICATE_KEEPING = defineError(
  'CERTIFICATE_KEEPING',
  'The files of a certificate could not be read or replaced.',
  'Check that the disk is not full and that the process may write the folder; it is tried again.',
);

/** Certificates for one key, and the CAs to trust, as they lie on disk. */
export interface Credential {
  /** PEM; the first one is what the join API is called with. */
  certificates: readonly string[];
  keyPem: string;
  caBundle: string;
}

/** Where a credential is kept. The key is never replaced (docs/adr/0010-certificates.md). */
export interface CredentialFiles {
  /** @throws CodedError KEY_FILE_MISSING, KEY_FILE_OPEN */
  read(): Promise<Credential>;
  writeBundle(caBundle: string): Promise<void>;
  writeCertificates(certificates: readonly string[]): Promise<void>;
}

/** What a {@link CredentialKeeper} works with. */
export interface CredentialKeeperOptions {
  /** Name of the cluster or node that the credential is for. */
  name: string;
  /** Common names that the certificates carry, in their order. */
  commonNames: readonly string[];
  files: CredentialFiles;
  /** Opens the join API of whoever signs; undefined when it is not known where that is. */
  connect: ((credential: Credential) => JoinApi) | undefined;
  /** Has certificates made for the key of a request. */
  request(api: JoinApi, csr: string): Promise<readonly string[]>;
  /** What a person does once the certificate has expired, one sentence. */
  recovery: string;
  clock: Clock;
  random: Random;
  onEvent(event: CredentialEvent): void;
}

/** A step in the life of a kept credential, for logs and metrics. */
export type CredentialEvent =
  | { type: 'renewed'; facts: readonly CertificateFacts[] }
  | { type: 'bundle'; caBundle: string }
  | { type: 'problem'; problem: CodedError };

/** How a kept credential does. */
export interface CredentialState {
  /** What was on disk at the last look; undefined before the first. */
  certificates: readonly CertificateFacts[];
  /** What the last look failed with. */
  error: CodedError | undefined;
}

/**
 * Keeps a credential that another machine signs: asks its join API again and again which CAs to trust, and has the certificates renewed for
 * the same key when that is due. Called with the certificate that it is about.
 */
export class CredentialKeeper {
  readonly #options: CredentialKeeperOptions;
  #state: CredentialState = { certificates: [], error: undefined };
  #said: string | undefined;

  constructor(options: CredentialKeeperOptions) {
    this.#options = options;
  }

  get state(): CredentialState {
    return this.#state;
  }

  /** What is wrong with one of the certificates now. */
  problemOf(facts: CertificateFacts): CodedError | undefined {
    const { recovery, clock } = this.#options;
    return certificateProblem(facts, { error: this.#state.error, recovery }, clock.wall());
  }

  /** Looks after the credential until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    while (!signal.aborted) {
      await this.look();
      await delay(clock, lookAgainMs(this.#state.certificates, random()), signal).catch(() => undefined); // rejects only by abort
    }
  }

  /** Looks once. Never throws: what goes wrong is in {@link state}, and said. */
  async look(): Promise<void> {
    try {
      await this.#look();
      this.#state = { ...this.#state, error: undefined };
    } catch (thrown) {
      const { name } = this.#options;
      const error =
        thrown instanceof CodedError ? thrown : new CodedError(CERTIFICATE_KEEPING, messageOf(thrown), { object: name, cause: thrown });
      this.#state = { ...this.#state, error };
    }
    this.#tell();
  }

  async #look(): Promise<void> {
    const { files, connect } = this.#options;
    const before = await files.read();
    this.#remember(before.certificates);
    if (!connect) return;
    const credential = await this.#takeBundle(before, connect);
    if (this.#isDue(credential)) await this.#renew(credential, connect(credential));
  }

  /** Takes other CAs over, and says so at once: whoever changes the CA waits for it. */
  async #takeBundle(before: Credential, connect: (credential: Credential) => JoinApi): Promise<Credential> {
    const { files, name, onEvent } = this.#options;
    const trusts = pinsOf(before.caBundle);
    const { caBundle: told } = await connect(before).checkIn({ name, trusts });
    const caBundle = checkBundle(told, name);
    if (pinsOf(caBundle).join() === trusts.join()) return before;
    await files.writeBundle(caBundle);
    onEvent({ type: 'bundle', caBundle });
    const after = { ...before, caBundle };
    await connect(after).checkIn({ name, trusts: pinsOf(caBundle) });
    return after;
  }

  #isDue({ certificates, caBundle }: Credential): boolean {
    const signer = certificateFacts(caBundle, 'CA bundle');
    return certificates.some((pem) => renewalDue(certificateFacts(pem), signer, this.#options.clock.wall()));
  }

  async #renew(credential: Credential, api: JoinApi): Promise<void> {
    const { commonNames, files, request, onEvent } = this.#options;
    const first = certificateFacts(credential.certificates[0] ?? '');
    const csr = requestForKey(credential.keyPem, { commonName: first.cn, uris: first.sans.uris });
    const certificates = await request(api, csr);
    for (const [index, commonName] of commonNames.entries()) this.#verify(certificates[index] ?? '', commonName, credential);
    await files.writeCertificates(certificates);
    this.#remember(certificates);
    onEvent({ type: 'renewed', facts: this.#state.certificates });
  }

  #verify(certificate: string, commonName: string, { caBundle, keyPem }: Credential): void {
    verifyCertificate(certificate, { caBundle, clock: this.#options.clock, usage: 'client', commonName, keyPem });
  }

  #remember(certificates: readonly string[]): void {
    this.#state = { ...this.#state, certificates: certificates.map((pem) => certificateFacts(pem)) };
  }

  /** The same problem again and again is said once. */
  #tell(): void {
    const { error, certificates } = this.#state;
    const problem = certificates.map((facts) => this.problemOf(facts)).find((each) => each !== undefined) ?? error;
    const about = problem && `${problem.code} ${error?.code}`;
    if (problem && about !== this.#said) this.#options.onEvent({ type: 'problem', problem });
    this.#said = about;
  }
}

function pinsOf(bundle: string): string[] {
  return splitPem(bundle).map(caPin);
}
