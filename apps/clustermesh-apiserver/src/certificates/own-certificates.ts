import { type Clock, CodedError, delay, LOG, messageOf, type Random } from '@isthmus/core';
import {
  CERTIFICATE_KEEPING,
  type CertificateFacts,
  type CertificatePair,
  type ControlPlaneName,
  certificateProblem,
  lookAgainMs,
} from '@isthmus/crypto';
import type { Log } from '../log.ts';

/** What {@link OwnCertificates} works with. */
export interface OwnCertificatesOptions {
  pairs: readonly { name: ControlPlaneName; pair: Pick<CertificatePair, 'renew' | 'paths'> }[];
  /** Life of new certificates, milliseconds. */
  validityMs: number;
  clock: Clock;
  random: Random;
  log: Log;
  /** Told after a look that replaced something. */
  onRenewed(names: readonly ControlPlaneName[]): void;
}

/** One certificate of the control plane, as it was at the last look. */
export interface OwnCertificate {
  name: ControlPlaneName;
  /** Undefined when it cannot be read. */
  facts: CertificateFacts | undefined;
  problem: CodedError | undefined;
}

const RECOVERY = 'Run "isthmus cluster init" again with the same options, on this machine; it replaces what is expired or missing.';

/**
 * Keeps the certificates of the control plane: this process has the CA's key and signs them itself. Whoever uses one reads its file at each
 * handshake, and connections move on to the new one before the old one ends, so that nothing is restarted.
 */
export class OwnCertificates {
  readonly #options: OwnCertificatesOptions;
  readonly #errors = new Map<ControlPlaneName, CodedError>();
  readonly #facts = new Map<ControlPlaneName, CertificateFacts>();
  readonly #said = new Map<ControlPlaneName, string | undefined>();
  #looking: Promise<void> = Promise.resolve();

  constructor(options: OwnCertificatesOptions) {
    this.#options = options;
  }

  /** Every certificate, as it was at the last look. */
  list(): OwnCertificate[] {
    return this.#options.pairs.map(({ name }) => ({ name, facts: this.#facts.get(name), problem: this.#problemOf(name) }));
  }

  /** Looks after them until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    while (!signal.aborted) {
      await this.look();
      await delay(clock, lookAgainMs([...this.#facts.values()], random()), signal).catch(() => undefined); // rejects only by abort
    }
  }

  /** Looks once, and replaces what is due. Never throws: what goes wrong is in {@link list}, and said. */
  async look(): Promise<void> {
    // One look at a time: two would sign twice.
    this.#looking = this.#looking.then(() => this.#look());
    await this.#looking;
  }

  async #look(): Promise<void> {
    const renewed: ControlPlaneName[] = [];
    for (const { name, pair } of this.#options.pairs) if (await this.#keep(name, pair)) renewed.push(name);
    if (renewed.length > 0) this.#options.onRenewed(renewed);
  }

  async #keep(name: ControlPlaneName, pair: Pick<CertificatePair, 'renew' | 'paths'>): Promise<boolean> {
    const { validityMs, log } = this.#options;
    try {
      const { facts, renewed } = await pair.renew(validityMs);
      this.#facts.set(name, facts);
      this.#errors.delete(name);
      if (renewed)
        log.info({ certificate: name, until: new Date(facts.notAfter).toISOString() }, 'a certificate of the control plane is renewed');
      this.#tell(name);
      return renewed;
    } catch (cause) {
      const object = pair.paths.cert;
      this.#errors.set(
        name,
        cause instanceof CodedError ? cause : new CodedError(CERTIFICATE_KEEPING, messageOf(cause), { object, cause }),
      );
      this.#tell(name);
      return false;
    }
  }

  #problemOf(name: ControlPlaneName): CodedError | undefined {
    const [facts, error] = [this.#facts.get(name), this.#errors.get(name)];
    return facts ? certificateProblem(facts, { error, recovery: RECOVERY }, this.#options.clock.wall()) : error;
  }

  /** The same problem again and again is said once. */
  #tell(name: ControlPlaneName): void {
    const problem = this.#problemOf(name);
    if (problem && problem.code !== this.#said.get(name))
      this.#options.log.error({ certificate: name, [LOG.error]: problem }, 'a certificate of the control plane needs attention');
    this.#said.set(name, problem?.code);
  }
}
