import { type Clock, delay, LOG, messageOf, type Random } from '@isthmus/core';
import { type Credential, type CredentialEvent, CredentialKeeper, clientNames, type JoinApi } from '@isthmus/crypto';
import type { RemoteCluster } from '../join/ports.ts';
import type { Log } from '../log.ts';
import type { RemoteCredentialStore } from './remote-credential-store.ts';

/** The configured remotes are looked over this often; one that was just connected has a fresh certificate. Milliseconds. */
const LIST_EVERY_MS = 2_000;

/** What {@link RemoteCredentials} works with. */
export interface RemoteCredentialsOptions {
  /** Name of this cluster. */
  own: string;
  store: RemoteCredentialStore;
  /** Opens the join API of a remote. */
  connect(endpoint: string, credential: Credential): JoinApi;
  clock: Clock;
  random: Random;
  log: Log;
}

interface Kept {
  keeper: CredentialKeeper;
  endpoint: string | undefined;
  stop: AbortController;
  running: Promise<void>;
}

/** Keeps what this cluster shows to each remote: its certificate is signed there, and which CAs to trust is heard there. */
export class RemoteCredentials {
  readonly #options: RemoteCredentialsOptions;
  readonly #kept = new Map<string, Kept>();
  #said: string | undefined;

  constructor(options: RemoteCredentialsOptions) {
    this.#options = options;
  }

  /** What is kept for a remote; undefined when nothing is. */
  of(remote: string): CredentialKeeper | undefined {
    return this.#kept.get(remote)?.keeper;
  }

  /** Looks after them until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#follow();
      await delay(this.#options.clock, LIST_EVERY_MS, signal).catch(() => undefined); // rejects only by abort
    }
    await Promise.all([...this.#kept.keys()].map((name) => this.#end(name)));
  }

  async #follow(): Promise<void> {
    const { store, log } = this.#options;
    try {
      const remotes = new Map((await store.list()).map((remote) => [remote.name, remote]));
      for (const [name, { endpoint }] of this.#kept) {
        const remote = remotes.get(name);
        if (!remote || remote.joinEndpoint !== endpoint) await this.#end(name);
      }
      for (const remote of remotes.values()) if (!this.#kept.has(remote.name)) this.#begin(remote);
      this.#said = undefined;
    } catch (error) {
      // What cannot be read is not gone: what is kept is kept on.
      if (this.#said !== messageOf(error)) log.error({ [LOG.error]: error }, 'the connected clusters cannot be read');
      this.#said = messageOf(error);
    }
  }

  #begin({ name, joinEndpoint }: RemoteCluster): void {
    const stop = new AbortController();
    const keeper = this.#keeper(name, joinEndpoint);
    this.#kept.set(name, { keeper, endpoint: joinEndpoint, stop, running: keeper.run(stop.signal) });
  }

  async #end(name: string): Promise<void> {
    const kept = this.#kept.get(name);
    this.#kept.delete(name);
    kept?.stop.abort();
    await kept?.running;
  }

  #keeper(remote: string, endpoint: string | undefined): CredentialKeeper {
    const { own, store, connect, clock, random } = this.#options;
    return new CredentialKeeper({
      name: own,
      commonNames: [clientNames.remote(own)],
      files: store.credential(remote),
      connect: endpoint === undefined ? undefined : (credential) => connect(endpoint, credential),
      request: async (api, csr) => [(await api.renew(own, csr)).certificate],
      recovery: `Connect ${own} and ${remote} anew with "isthmus clustermesh connect".`,
      clock,
      random,
      onEvent: (event) => this.#log(remote, event),
    });
  }

  #log(remote: string, event: CredentialEvent): void {
    const { log } = this.#options;
    const fields = { [LOG.cluster]: remote };
    if (event.type === 'problem')
      log.warn({ ...fields, [LOG.error]: event.problem }, 'the certificate for a remote cluster needs attention');
    else if (event.type === 'bundle') log.info(fields, 'a remote cluster has changed its CAs');
    else
      log.info(
        { ...fields, until: event.facts.map(({ notAfter }) => new Date(notAfter).toISOString()).join() },
        'the certificate for a remote cluster is renewed',
      );
  }
}
