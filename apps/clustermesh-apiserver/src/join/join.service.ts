import { type Clock, CodedError } from '@isthmus/core';
import {
  type Accepted,
  type ClusterOffer,
  type CompleteRequest,
  type Confirmed,
  clientNames,
  clientProfile,
  type Done,
  newKeyAndRequest,
  type RandomBytes,
  type RevocationDone,
  type TokenLedger,
  verifyCertificate,
} from '@isthmus/crypto';
import { checkOffer, checkPeerName, checkTarget } from './check-offer.ts';
import { JOIN_FORBIDDEN, JOIN_NOT_CONNECTED, JOIN_SESSION_UNKNOWN } from './join.errors.ts';
import { type JoinSession, JoinSessions } from './join-sessions.ts';
import type {
  EncryptionTarget,
  EtcdUsers,
  JoinLog,
  LocalCluster,
  RemoteAccess,
  RemoteCluster,
  RemoteConfigStore,
  Signer,
} from './ports.ts';
import type { Principal } from './principal.ts';
import { SerialQueue } from './serial-queue.ts';

/** What a {@link JoinService} works with. */
export interface JoinServiceOptions {
  local: LocalCluster;
  remotes: RemoteConfigStore;
  signer: Signer;
  users: EtcdUsers;
  access: RemoteAccess;
  tokens: TokenLedger;
  target: EncryptionTarget;
  clock: Clock;
  randomBytes: RandomBytes;
  log: JoinLog;
}

/**
 * One cluster's side of the join: four calls between two clusters, carried by a third party that both trust to a degree (the CLI). In calls
 * 1 and 2 nothing is written; in call 3 the first cluster takes the second on, in call 4 the second the first. Private keys stay here:
 * each side signs the other's request.
 */
export class JoinService {
  readonly #ports: JoinServiceOptions;
  readonly #sessions: JoinSessions;
  readonly #writes = new SerialQueue();

  constructor(options: JoinServiceOptions) {
    this.#ports = options;
    this.#sessions = new JoinSessions(options.clock, options.randomBytes);
  }

  /** Joins under way, for status and tests. */
  get pending(): number {
    return this.#sessions.size;
  }

  /** Forgets the joins under way, so that no timer is left. */
  close(): void {
    this.#sessions.close();
  }

  /** Call 1, to the first cluster. @throws CodedError JOIN_OWN_NAME, JOIN_FORBIDDEN, TOKEN_* */
  async offer(caller: Principal, peer: string): Promise<ClusterOffer> {
    const self = await this.#ports.local.describe();
    await this.#mayBegin(caller, peer);
    checkPeerName(self, peer);
    const { keyPem, offer } = await this.#newOffer();
    await this.#spend(caller, peer);
    this.#sessions.open(caller, { peer, role: 'first', keyPem });
    return offer;
  }

  /** Call 2, to the second cluster. @throws CodedError as {@link checkOffer}, JOIN_FORBIDDEN, TOKEN_*, REQUEST_* */
  async accept(caller: Principal, offer: ClusterOffer): Promise<Accepted> {
    await this.#mayBegin(caller, offer.name);
    await this.#check(offer);
    const certificate = await this.#signFor(offer);
    const mine = await this.#newOffer();
    await this.#spend(caller, offer.name);
    const session = this.#sessions.open(caller, { peer: offer.name, role: 'second', keyPem: mine.keyPem, offer });
    return { offer: mine.offer, certificate, session: session.id };
  }

  /** Call 3, to the first cluster: from here on it mirrors the second. @throws CodedError as {@link accept}, CERTIFICATE_*, JOIN_SESSION_UNKNOWN */
  async confirm(caller: Principal, offer: ClusterOffer, certificate: string): Promise<Confirmed> {
    return await this.#writes.run(async () => {
      const session = this.#sessions.take(caller, offer.name, 'first');
      await this.#check(offer);
      await this.#verify(offer, certificate, session);
      const forPeer = await this.#signFor(offer);
      await this.#takeOn(caller, offer, { certPem: certificate, keyPem: session.keyPem });
      this.#sessions.finish(session);
      return { certificate: forPeer };
    });
  }

  /** Call 4, to the second cluster. @throws CodedError JOIN_SESSION_UNKNOWN, CERTIFICATE_*, as {@link checkOffer} */
  async complete(caller: Principal, first: string, request: CompleteRequest): Promise<Done> {
    return await this.#writes.run(async () => {
      const session = this.#sessions.take(caller, first, 'second');
      const { offer } = session;
      if (!offer || session.id !== request.session) {
        throw new CodedError(JOIN_SESSION_UNKNOWN, `the join with ${first} under way here is another one`, { object: first });
      }
      // Another cluster may have joined since call 2.
      await this.#check(offer);
      await this.#verify(offer, request.certificate, session);
      await this.#takeOn(caller, offer, { certPem: request.certificate, keyPem: session.keyPem });
      this.#sessions.finish(session);
      return { name: first, connected: true };
    });
  }

  /**
   * Ends a connection on this side: the configuration goes, so the mirror drains, and the remote's access is withdrawn, so it reads no more.
   * @throws CodedError JOIN_NOT_CONNECTED, JOIN_FORBIDDEN
   */
  async disconnect(caller: Principal, name: string): Promise<Done> {
    return await this.#writes.run(async () => {
      this.#mayEnd(caller, name);
      await this.#needConnected(name);
      await this.#ports.remotes.remove(name);
      await this.#ports.access.withdraw(name);
      this.#sessions.forget(name);
      this.#ports.log.info({ cluster: name }, 'cluster disconnected');
      return { name, connected: false };
    });
  }

  /**
   * Withdraws a remote's access and keeps everything else: what is known of it stays, and connecting anew gives it another certificate.
   * @throws CodedError JOIN_NOT_CONNECTED
   */
  async revoke(name: string): Promise<RevocationDone> {
    return await this.#writes.run(async () => {
      await this.#needConnected(name);
      this.#sessions.forget(name);
      return { name, ...(await this.#ports.access.withdraw(name)) };
    });
  }

  async #needConnected(name: string): Promise<void> {
    const known = (await this.#ports.remotes.list()).some((r) => r.name === name);
    if (!known) throw new CodedError(JOIN_NOT_CONNECTED, `${name} is not connected to this cluster`, { object: name });
  }

  async #mayBegin(caller: Principal, peer: string): Promise<void> {
    if (caller.kind === 'node' || caller.kind === 'remote')
      throw new CodedError(JOIN_FORBIDDEN, `${caller.kind} ${caller.name} may not join clusters`, { object: caller.name });
    if (caller.kind === 'token' && !this.#sessions.isUnderWay(caller, peer)) {
      await this.#ports.tokens.check(caller.id, { kind: 'cluster', subject: peer });
    }
  }

  /**
   * A token is used up by the first call that succeeds; whoever repeats a call of the same join has paid already. Once the join is done here the
   * token is good for nothing but undoing it: a second offer under the same name could carry somebody else's key.
   */
  async #spend(caller: Principal, peer: string): Promise<void> {
    if (caller.kind === 'token' && !this.#sessions.isUnderWay(caller, peer)) {
      await this.#ports.tokens.redeem(caller.id, { kind: 'cluster', subject: peer });
    }
  }

  /** Whoever joined with a token may take back that join, while it is fresh, and nothing else. */
  #mayEnd(caller: Principal, name: string): void {
    if (caller.kind === 'admin' || (caller.kind === 'token' && this.#sessions.holds(caller, name))) return;
    throw new CodedError(JOIN_FORBIDDEN, `only an admin may disconnect ${name}`, { object: name });
  }

  async #newOffer(): Promise<{ keyPem: string; offer: ClusterOffer }> {
    const { clusterEtcdEndpoints: _, ...self } = await this.#ports.local.describe();
    const { keyPem, csrPem } = await newKeyAndRequest({ commonName: clientNames.remote(self.name) });
    const wireguardTarget = await this.#ports.target.read();
    const caBundle = await this.#ports.signer.caBundle();
    return { keyPem, offer: { ...self, ...(wireguardTarget !== undefined && { wireguardTarget }), caBundle, csr: csrPem } };
  }

  async #check(offer: ClusterOffer): Promise<void> {
    checkOffer(await this.#ports.local.describe(), await this.#ports.remotes.list(), offer);
    checkTarget(await this.#ports.target.read(), offer);
  }

  async #signFor(offer: ClusterOffer): Promise<string> {
    return await this.#ports.signer.sign(offer.csr, clientProfile(clientNames.remote(offer.name)));
  }

  async #verify(offer: ClusterOffer, certificate: string, session: JoinSession): Promise<void> {
    const commonName = clientNames.remote((await this.#ports.local.describe()).name);
    const { clock } = this.#ports;
    verifyCertificate(certificate, { caBundle: offer.caBundle, clock, usage: 'client', commonName, keyPem: session.keyPem });
  }

  async #takeOn(caller: Principal, offer: ClusterOffer, credential: { certPem: string; keyPem: string }): Promise<void> {
    const { csr: _, ...remote } = offer;
    const { remotes, users, target, log } = this.#ports;
    // Before either knows of the other: then no node finds the other cluster's epoch too far ahead.
    if (offer.wireguardTarget !== undefined) await target.meet(offer.name, offer.wireguardTarget, whoIs(caller));
    const isNew = !(await remotes.list()).some((r) => r.name === remote.name);
    await users.ensureRemoteUser(remote.name);
    try {
      await remotes.write(remote, credential);
    } catch (error) {
      if (isNew) await this.#undo(remote);
      throw error;
    }
    log.info({ cluster: remote.name, id: remote.id, endpoints: remote.endpoints }, isNew ? 'cluster connected' : 'cluster connected anew');
  }

  async #undo(remote: RemoteCluster): Promise<void> {
    const { remotes, users, log } = this.#ports;
    for (const step of [() => remotes.remove(remote.name), () => users.remove(clientNames.remote(remote.name))]) {
      await step().catch((err: unknown) => log.error({ cluster: remote.name, err }, 'a failed join could not be taken back'));
    }
  }
}

/** Who is written down to have asked for something. */
function whoIs(caller: Principal): string {
  return caller.kind === 'admin' ? caller.name : 'join API';
}
