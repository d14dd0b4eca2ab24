import { CodedError } from '@isthmus/core';
import {
  CERTIFICATE_NAME,
  type CheckInRequest,
  type CheckInResponse,
  clientNames,
  clientProfile,
  type RenewalResponse,
} from '@isthmus/crypto';
import type { CheckIns } from '../certificates/check-ins.ts';
import type { IssuedLedger } from '../certificates/issued-ledger.ts';
import type { Refusals } from '../certificates/refusals.ts';
import { JOIN_FORBIDDEN, JOIN_NOT_CONNECTED } from './join.errors.ts';
import type { JoinLog, LocalCluster, RemoteConfigStore, Signer } from './ports.ts';
import type { Principal } from './principal.ts';

/** What a {@link CheckInService} works with. */
export interface CheckInServiceOptions {
  local: LocalCluster;
  remotes: RemoteConfigStore;
  signer: Signer;
  ledger: IssuedLedger;
  checkIns: CheckIns;
  refusals: Refusals;
  log: JoinLog;
}

type Bearer = Extract<Principal, { kind: 'node' | 'remote' }>;

/** Nodes and remote clusters call with the certificates that they have from here: to hear which CAs to trust, and for the next certificate. */
export class CheckInService {
  readonly #ports: CheckInServiceOptions;

  constructor(options: CheckInServiceOptions) {
    this.#ports = options;
  }

  /** @throws CodedError JOIN_FORBIDDEN, JOIN_NOT_CONNECTED, CERTIFICATE_NAME */
  async checkIn(caller: Principal, { name, trusts }: CheckInRequest): Promise<CheckInResponse> {
    const bearer = await this.#accepted(caller, name);
    const { checkIns, refusals, ledger, signer } = this.#ports;
    checkIns.note({ kind: bearer.kind, name: bearer.name, certificate: bearer.certificate, trusts });
    refusals.clear(bearer.certificate.cn);
    // One that was issued before there was a ledger, or by one that was lost.
    if (bearer.kind === 'remote') await ledger.record(bearer.certificate);
    return { caBundle: await signer.caBundle() };
  }

  /** Signs a remote's next certificate. @throws CodedError as {@link checkIn}, REQUEST_* */
  async renew(caller: Principal, name: string, csr: string): Promise<RenewalResponse> {
    const bearer = await this.#accepted(caller, name);
    if (bearer.kind !== 'remote') throw new CodedError(JOIN_FORBIDDEN, `node ${bearer.name} is no cluster`, { object: name });
    const certificate = await this.#ports.signer.sign(csr, clientProfile(clientNames.remote(name)));
    this.#ports.log.info({ cluster: name }, 'the certificate of a remote cluster is renewed');
    return { certificate };
  }

  /** Whoever shows another one's certificate has mixed up files: it is told so, and so is who asks here for its status. */
  async #accepted(caller: Principal, name: string): Promise<Bearer> {
    if (caller.kind !== 'node' && caller.kind !== 'remote')
      throw new CodedError(JOIN_FORBIDDEN, 'only nodes and remote clusters call for their certificates', { object: name });
    const expected = caller.kind === 'node' ? clientNames.agent(name) : clientNames.remote(name);
    if (caller.name !== name) {
      const problem = new CodedError(CERTIFICATE_NAME, `the certificate names ${caller.certificate.cn}; ${expected} is expected`, {
        object: expected,
      });
      this.#ports.refusals.note(expected, problem);
      throw problem;
    }
    if (caller.kind === 'remote') await this.#checkConnected(name);
    return caller;
  }

  async #checkConnected(name: string): Promise<void> {
    if ((await this.#ports.remotes.list()).some((remote) => remote.name === name)) return;
    const self = await this.#ports.local.describe();
    const problem = new CodedError(JOIN_NOT_CONNECTED, `${name} is not connected to ${self.name}`, { object: name });
    this.#ports.refusals.note(clientNames.remote(name), problem);
    throw problem;
  }
}
