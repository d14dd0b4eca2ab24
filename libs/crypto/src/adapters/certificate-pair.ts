import type { Clock } from '@isthmus/core';
import { canonicalIp } from '@isthmus/net';
import { mergeBundles, splitPem } from '../pki/ca-bundle.ts';
import { type CertificateFacts, certificateFacts } from '../pki/certificate-facts.ts';
import type { CertificateProfile } from '../pki/certificate-profile.ts';
import { newKeyAndRequest, requestForKey } from '../pki/certificate-request.ts';
import { isUsableKey, keyBelongsTo } from '../pki/key-pair.ts';
import { renewalDue } from '../pki/renewal.ts';
import { signRequest } from '../pki/sign-request.ts';
import type { CaDirectory } from './ca-directory.ts';
import { readCertificateFile, readIfPresent, readKeyFile, writeCertificateFile, writeKeyFile } from './key-file.ts';

/** A certificate and its key on disk. */
export interface PairPaths {
  cert: string;
  key: string;
}

/** What a {@link CertificatePair} works with. */
export interface CertificatePairOptions {
  paths: PairPaths;
  ca: CaDirectory;
  clock: Clock;
  /** Append a trusted CA to the certificate file, so that a caller with only a pin can check it. */
  withCa: boolean;
}

/** One certificate of the control plane, which the cluster's own CA signs on this machine. */
export class CertificatePair {
  readonly paths: PairPaths;
  readonly #options: CertificatePairOptions;

  constructor(options: CertificatePairOptions) {
    this.paths = options.paths;
    this.#options = options;
  }

  /** What the certificate says. @throws CodedError KEY_FILE_MISSING, CERTIFICATE_UNREADABLE */
  async facts(): Promise<CertificateFacts> {
    return certificateFacts(await readCertificateFile(this.paths.cert), this.paths.cert);
  }

  /**
   * Sees that there is a good certificate of this profile. A key that is there and readable is kept.
   * @throws CodedError KEY_FILE_OPEN, CA_KEY_MISMATCH, CERTIFICATE_EXPIRED (the CA's)
   */
  async ensure(profile: CertificateProfile): Promise<void> {
    const keyPem = await this.#usableKey();
    if (keyPem !== undefined && (await this.#isGood(profile, keyPem))) return;
    if (keyPem !== undefined) return await this.#write(requestForKey(keyPem, profile), profile);
    const made = await newKeyAndRequest({ commonName: profile.commonName });
    await writeKeyFile(this.paths.key, made.keyPem);
    await this.#write(made.csrPem, profile);
  }

  /**
   * Replaces the certificate by one of the same names for the same key, if that is due.
   * @param validityMs life of the new one
   * @returns the certificate that is there afterwards, and whether it is new
   * @throws CodedError KEY_FILE_MISSING, KEY_FILE_OPEN, KEY_UNREADABLE, CERTIFICATE_UNREADABLE, CA_KEY_MISMATCH, CERTIFICATE_EXPIRED (the CA's)
   */
  async renew(validityMs: number): Promise<{ facts: CertificateFacts; renewed: boolean }> {
    const { ca, clock } = this.#options;
    const facts = await this.facts();
    const signer = certificateFacts(splitPem(await ca.bundle())[0] ?? '', ca.certPath);
    if (!renewalDue(facts, signer, clock.wall()) && (await this.#showsCa())) return { facts, renewed: false };
    const profile = profileOf(facts, validityMs);
    await this.#write(requestForKey(await readKeyFile(this.paths.key), profile), profile);
    return { facts: await this.facts(), renewed: true };
  }

  async #write(csrPem: string, profile: CertificateProfile): Promise<void> {
    const { ca, clock } = this.#options;
    const certPem = await signRequest({ ca: await ca.signer(), csrPem, profile, clock });
    await writeCertificateFile(this.paths.cert, mergeBundles(certPem, await this.#shownCa()));
  }

  /** The last CA of the bundle, which tokens pin: during a change of CA the chain leads there, and only there does it end. */
  async #shownCa(): Promise<string> {
    const { ca, withCa } = this.#options;
    return withCa ? (splitPem(await ca.bundle()).at(-1) ?? '') : '';
  }

  async #showsCa(): Promise<boolean> {
    return (await readCertificateFile(this.paths.cert)).includes(await this.#shownCa());
  }

  async #usableKey(): Promise<string | undefined> {
    if ((await readIfPresent(this.paths.key)) === undefined) return undefined;
    const keyPem = await readKeyFile(this.paths.key);
    return isUsableKey(keyPem) ? keyPem : undefined;
  }

  async #isGood(profile: CertificateProfile, keyPem: string): Promise<boolean> {
    const { ca, clock } = this.#options;
    const certPem = await readIfPresent(this.paths.cert);
    if (certPem === undefined || !keyBelongsTo(certPem, keyPem)) return false;
    const facts = certificateFacts(certPem, this.paths.cert);
    const signer = certificateFacts((await ca.signer()).certPem);
    return !renewalDue(facts, signer, clock.wall()) && clock.wall() <= facts.notAfter && coversNames(facts.sans, profile);
  }
}

/** The profile that a certificate was made by. */
function profileOf({ cn, sans, usages }: CertificateFacts, validityMs: number): CertificateProfile {
  const used = (['server', 'client'] as const).filter((usage) => usages[usage]);
  return { commonName: cn, dnsNames: sans.dns, ips: sans.ips, uris: sans.uris, usages: used, validityMs };
}

function coversNames(sans: { dns: string[]; ips: string[] }, profile: CertificateProfile): boolean {
  return profile.dnsNames.every((n) => sans.dns.includes(n)) && profile.ips.every((ip) => sans.ips.includes(canonicalIp(ip) ?? ip));
}
