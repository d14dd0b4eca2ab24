import type { CodedError } from '@isthmus/core';
import {
  ageOf,
  type CertificateFacts,
  type CertificateStatus,
  type Certificates,
  certificateFacts,
  certificateProblem,
  clientNames,
  splitPem,
} from '@isthmus/crypto';
import { accessOf } from './access-problem.ts';
import type { CheckIns } from './check-ins.ts';
import type { IssuedCertificate, IssuedLedger } from './issued-ledger.ts';
import type { OwnCertificates } from './own-certificates.ts';
import type { Refusals } from './refusals.ts';
import type { RemoteCredentials } from './remote-credentials.ts';

/** What a {@link CertificateReport} tells of. */
export interface CertificateReportOptions {
  own: Pick<OwnCertificates, 'list'>;
  credentials: Pick<RemoteCredentials, 'of'>;
  ledger: IssuedLedger;
  checkIns: CheckIns;
  refusals: Refusals;
  caBundle(): Promise<string>;
  /** Wall time, milliseconds since 1970. */
  now(): number;
}

/** A remote's two certificates: what this cluster shows there, and what the remote shows here. */
export interface RemoteCertificates {
  certificateThere?: CertificateStatus;
  certificateHere?: CertificateStatus;
}

const CA_ENDS = 'Change the CA with "isthmus cluster ca rotate" before it ends: nothing that it signs lasts longer.';
const NODE_LATE = 'See "isthmus status" on that node for what stands in the way; once it has expired, enrol the node anew with a token.';

/** Every certificate that this cluster has or has given away, as status and metrics show them. */
export class CertificateReport {
  readonly #options: CertificateReportOptions;

  constructor(options: CertificateReportOptions) {
    this.#options = options;
  }

  /** All but those of remote clusters. */
  async list(): Promise<Certificates> {
    const { own, checkIns, refusals, now } = this.#options;
    const cas = splitPem(await this.#options.caBundle()).map((pem) => certificateFacts(pem));
    const nodes = checkIns.nodes().map(({ certificate }) => this.#of('node', certificate, problemAt(certificate, NODE_LATE, now())));
    return {
      certificates: [
        ...cas.map((facts, index) =>
          this.#of(index === 0 ? 'CA' : 'former CA', facts, index === 0 ? problemAt(facts, CA_ENDS, now()) : undefined),
        ),
        ...own.list().flatMap(({ name, facts, problem }) => (facts ? [this.#of(name, facts, problem)] : [missing(name, problem)])),
        ...nodes,
      ],
      refused: refusals.list().map(({ user, problem, at, times }) => {
        return { name: user, problem: problem.toJSON(), at: new Date(at).toISOString(), times };
      }),
    };
  }

  /** Every one, also those of these remotes. */
  async all(remotes: readonly string[]): Promise<CertificateStatus[]> {
    const pairs = await Promise.all(remotes.map((remote) => this.ofRemote(remote)));
    const theirs = pairs.flatMap(({ certificateThere, certificateHere }) => [certificateThere ?? [], certificateHere ?? []].flat());
    return [...(await this.list()).certificates, ...theirs];
  }

  /** Those of one remote. */
  async ofRemote(remote: string): Promise<RemoteCertificates> {
    const { credentials } = this.#options;
    const keeper = credentials.of(remote);
    const [there] = keeper?.state.certificates ?? [];
    const here = (await this.#options.ledger.of(clientNames.remote(remote))).at(-1);
    return {
      ...(there && { certificateThere: this.#of(`at ${remote}`, there, keeper?.problemOf(there)) }),
      ...(here && { certificateHere: await this.#here(here) }),
    };
  }

  async #here(issued: IssuedCertificate): Promise<CertificateStatus> {
    const { refusals, caBundle, now } = this.#options;
    const trusted = new Set(splitPem(await caBundle()).map((pem) => certificateFacts(pem).keyId));
    const { state, problem } = accessOf(issued, trusted, refusals.of(issued.user), now());
    return { ...statusOf('here', { ...issued, cn: issued.user }, state), ...(problem && { problem: problem.toJSON() }) };
  }

  #of(use: string, facts: CertificateFacts, problem: CodedError | undefined): CertificateStatus {
    return { ...statusOf(use, facts, ageOf(facts, this.#options.now())), ...(problem && { problem: problem.toJSON() }) };
  }
}

type Told = Pick<CertificateFacts, 'cn' | 'serial' | 'issuer' | 'notBefore' | 'notAfter'>;

function statusOf(use: string, { cn, serial, issuer, notBefore, notAfter }: Told, state: string): CertificateStatus {
  const [from, until] = [new Date(notBefore).toISOString(), new Date(notAfter).toISOString()];
  return { name: cn, use, serial, issuer, notBefore: from, notAfter: until, state };
}

function problemAt(facts: CertificateFacts, recovery: string, now: number): CodedError | undefined {
  return certificateProblem(facts, { error: undefined, recovery }, now);
}

/** One that should be there and cannot be read. */
function missing(use: string, problem: CodedError | undefined): CertificateStatus {
  const never = new Date(0).toISOString();
  const status = { name: use, use, serial: '', issuer: '', notBefore: never, notAfter: never, state: 'unreadable' };
  return { ...status, ...(problem && { problem: problem.toJSON() }) };
}
