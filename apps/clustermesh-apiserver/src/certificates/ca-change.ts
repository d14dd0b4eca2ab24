import { type Clock, CodedError } from '@isthmus/core';
import { CA_CHANGE_WAITS, type CaDirectory, type CaStatus, certificateFacts, splitPem } from '@isthmus/crypto';
import type { Log } from '../log.ts';
import { type Dependents, type Waiting, waitingForCa } from './ca-waiting.ts';

/** What a {@link CaChange} works with. */
export interface CaChangeOptions {
  cluster: string;
  ca: CaDirectory;
  /** Everybody who depends on the CA, at this moment. */
  dependents(): Promise<Dependents>;
  /** Replaces the control plane's certificates that are due. */
  renewOwn(): Promise<void>;
  /** Names of own servers that let in certificates of the former CA. */
  stillTrusting(): Promise<string[]>;
  clock: Clock;
  log: Log;
}

/**
 * The change of a cluster's CA, in two steps that a person makes. `rotate`: a new CA signs, vouched for by the former one, and all who call
 * hear of it and have themselves certified anew. `retire`: when everybody has, the former CA is dropped.
 */
export class CaChange {
  readonly #options: CaChangeOptions;

  constructor(options: CaChangeOptions) {
    this.#options = options;
  }

  /** Which CAs are trusted, and who would be locked out without the former one. */
  async status(): Promise<CaStatus> {
    const { ca, stillTrusting } = this.#options;
    const cas = splitPem(await ca.bundle()).map((pem, index) => ({ facts: certificateFacts(pem, ca.certPath), signs: index === 0 }));
    const trusting = await stillTrusting();
    if (cas.length === 1 && trusting.length === 0) await ca.forgetFormer();
    return {
      cas: cas.map(({ facts, signs }) => {
        return { name: facts.cn, pin: facts.fingerprintSha256, notAfter: new Date(facts.notAfter).toISOString(), signs };
      }),
      waitsFor: cas.length === 1 ? [] : await this.#waiting(),
      stillTrusted: cas.length === 1 ? trusting : [],
    };
  }

  /** @throws CodedError as {@link CaDirectory.rotate} */
  async rotate(): Promise<CaStatus> {
    const { ca, cluster, clock, renewOwn, log } = this.#options;
    await ca.rotate(cluster, clock);
    log.info({ ca: certificateFacts(await ca.bundle()).cn }, 'a new CA signs; the former one is trusted until it is retired');
    await renewOwn();
    return await this.status();
  }

  /** @throws CodedError CA_CHANGE_WAITS naming who would be locked out, unless `force`; CA_CHANGE_NONE */
  async retire(force: boolean): Promise<CaStatus> {
    const { ca, renewOwn, log } = this.#options;
    const waiting = splitPem(await ca.bundle()).length > 1 ? await this.#waiting() : [];
    if (waiting.length > 0 && !force) {
      const who = waiting.map(({ name, why }) => `${name} ${why}`).join('; ');
      throw new CodedError(CA_CHANGE_WAITS, who, { object: waiting.map(({ name }) => name).join(', ') });
    }
    await ca.retire();
    log.info({ lockedOut: waiting.map(({ name }) => name) }, 'the former CA is not trusted any more');
    // The join API's own certificate carries the CA that tokens pin.
    await renewOwn();
    return await this.status();
  }

  async #waiting(): Promise<Waiting[]> {
    const { ca, dependents } = this.#options;
    return waitingForCa(certificateFacts(await ca.bundle(), ca.certPath), await dependents());
  }
}
