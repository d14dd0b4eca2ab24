import { type Clock, CodedError, delay, LOG, type Log, messageOf } from '@isthmus/core';
import {
  type FileCredential,
  kemKeyHash,
  kemKeyHashOf,
  keyOf,
  PAIR_EXCHANGE,
  PairAgreements,
  type PairAnswer,
  PairExchangeClient,
  PairExchangeServer,
  type PairRequest,
  type PairSecrets,
  type WireGuardRecord,
} from '@isthmus/crypto';
import { KEY_EXCHANGE_PORT } from '@isthmus/model';

/** A caller may know of this node's key before this node knows of the caller's. */
const RECORD_WAIT_MS = 5_000;
/** The caller begins a session when it is answered, and has to wait for a second attempt where this node does not have it as a peer by then. */
const INSTALL_WAIT_MS = 2_000;
/** Time between two attempts to listen. */
const LISTEN_AGAIN_MS = 2_000;

/** By what a node shows others who it is, and knows who they are. */
export interface NodeCredential {
  readonly files: Pick<FileCredential, 'read'>;
  /** CAs of another cluster's certificates, PEM; empty: not known. */
  caBundleOf(cluster: string): string;
}

/** What the node knows of itself and of others. */
export interface PairFacts {
  /** Own name, `<cluster>/<node>`. */
  readonly name: string;
  /** Own public keys, by epoch. */
  ownKey(epoch: number): string | undefined;
  recordOf(peer: string): WireGuardRecord | undefined;
  addressOf(peer: string): string | undefined;
  /** Whether there is a session with a peer's key of an epoch that has no preshared key. */
  isBare(epoch: number, publicKey: string): boolean;
  /** Resolves when it holds; looked at whenever a table changes. */
  until(holds: () => boolean, signal: AbortSignal): Promise<void>;
  /** Resolves when a device has a peer's key of an epoch. */
  untilInstalled(epoch: number, publicKey: string, signal: AbortSignal): Promise<void>;
}

/** What a {@link KeyExchange} works with. */
export interface KeyExchangeOptions {
  /** Own address, which others know the node by. */
  readonly address: string;
  readonly secrets: PairSecrets;
  readonly credential: NodeCredential;
  readonly facts: PairFacts;
  readonly clock: Clock;
  readonly log: Log;
  /** Told when there is one more preshared key. */
  readonly onAgreed: () => void;
}

/** A node's part in agreeing on preshared keys: it answers others, and asks those that it is the lower node to. */
export class KeyExchange {
  readonly agreements: PairAgreements;
  readonly #options: KeyExchangeOptions;
  #problem: string | undefined;

  constructor(options: KeyExchangeOptions) {
    this.#options = options;
    const { credential, clock, facts, secrets, onAgreed } = options;
    const client = new PairExchangeClient({
      placeOf: (peer) => {
        const address = facts.addressOf(peer);
        return address === undefined ? undefined : { address, port: KEY_EXCHANGE_PORT };
      },
      credential: () => credential.files.read(),
      trust: { caBundleOf: (cluster) => this.#caBundleOf(cluster) },
    });
    this.agreements = new PairAgreements(secrets, client, clock, onAgreed);
  }

  /** Why others cannot ask; undefined when they can. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Answers others until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { address, credential, clock } = this.#options;
    const server = new PairExchangeServer({
      address,
      port: KEY_EXCHANGE_PORT,
      credential: () => credential.files.read(),
      trust: { clock, caBundleOf: (cluster) => this.#caBundleOf(cluster) },
      accept: (caller, request) => this.#accept(caller, request, signal),
      onRefused: (caller, error) => this.#options.log.debug({ caller, [LOG.error]: error }, 'a preshared key is not agreed on'),
    });
    while (!signal.aborted && !(await this.#listen(server))) await delay(clock, LISTEN_AGAIN_MS, signal).catch(() => undefined); // rejects only by abort
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await server.close();
  }

  async #listen(server: PairExchangeServer): Promise<boolean> {
    try {
      await server.listen();
      this.#problem = undefined;
      return true;
    } catch (error) {
      const problem = `TCP port ${KEY_EXCHANGE_PORT} cannot be listened on: ${messageOf(error)}`;
      if (problem !== this.#problem)
        this.#options.log.warn({ [LOG.error]: error }, 'no other node can agree on preshared keys with this one');
      this.#problem = problem;
      return false;
    }
  }

  /** Own CAs are read anew: they change while the agent runs. */
  async #caBundleOf(cluster: string): Promise<string> {
    const { credential, facts } = this.#options;
    if (cluster === facts.name.split('/')[0]) return (await credential.files.read()).caBundle;
    return credential.caBundleOf(cluster);
  }

  async #accept(caller: string, request: PairRequest, signal: AbortSignal): Promise<PairAnswer> {
    const { secrets, facts, onAgreed } = this.#options;
    await this.#check(caller, request, signal);
    // What is in use is not changed: the caller has it without, too, or soon will.
    if (facts.isBare(request.epoch, request.callerKey)) throw refused(caller, `the session of epoch ${request.epoch} has none already`);
    const answer = await secrets.accept(request);
    onAgreed();
    await this.#installed(request, signal);
    return answer;
  }

  /** Waits until the caller is a peer, but not for long: without, the session takes a second attempt. */
  async #installed({ epoch, callerKey }: PairRequest, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, AbortSignal.timeout(INSTALL_WAIT_MS)]);
    try {
      await this.#options.facts.untilInstalled(epoch, callerKey, either);
    } catch (error) {
      if (!either.aborted) throw error;
    }
  }

  /** A node speaks for its own keys only, and the lower of two asks. Its KEM key is the one that it has told everybody of, not only this node. */
  async #check(caller: string, { epoch, callerKey, calleeKey, kemKey }: PairRequest, signal: AbortSignal): Promise<void> {
    const { facts } = this.#options;
    if (caller >= facts.name) throw refused(caller, `of ${caller} and ${facts.name} the lower one asks`);
    if (facts.ownKey(epoch) !== calleeKey) throw refused(caller, `${facts.name} has another key of epoch ${epoch}`);
    const hash = kemKeyHash(kemKey);
    const isKnown = (): boolean => {
      const record = facts.recordOf(caller);
      return keyOf(record, epoch) === callerKey && kemKeyHashOf(record, epoch) === hash;
    };
    const either = AbortSignal.any([signal, AbortSignal.timeout(RECORD_WAIT_MS)]);
    await facts.until(isKnown, either).catch(() => {
      throw refused(caller, `${caller} does not publish these keys of epoch ${epoch}, as far as is known`);
    });
  }
}

function refused(object: string, message: string): CodedError {
  return new CodedError(PAIR_EXCHANGE, message, { object });
}
