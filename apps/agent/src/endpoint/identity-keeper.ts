import { Backoff, type Clock, delay, Feed, isCoded, LOCAL_SCOPE, Notifier, type Random, type Store, type Table } from '@isthmus/core';
import type { IdentityAllocator } from '@isthmus/identity';
import { type EndpointRow, type IdentityRow, RESERVED_IDENTITY } from '@isthmus/model';
import { POD_NOT_FOUND } from '../agent.errors.ts';
import type { EndpointService } from './endpoint-service.ts';

/** What the keeper watches and tells. */
export interface IdentityKeeperOptions {
  readonly store: Store;
  readonly endpoints: Table<EndpointRow>;
  readonly identities: Table<IdentityRow>;
  readonly allocator: Pick<IdentityAllocator, 'keep' | 'allocate'>;
  readonly service: Pick<EndpointService, 'relabel'>;
  /** Identity labels of the endpoint's pod as far as they have been heard of; undefined when that is not known. */
  readonly labelsOf: (endpoint: EndpointRow) => string | undefined;
  /** Asks for them. @throws CodedError POD_NOT_FOUND */
  readonly readLabels: (namespace: string, pod: string) => Promise<string>;
  readonly clock: Clock;
  readonly random: Random;
  readonly onError: (endpoint: EndpointRow, error: unknown) => void;
}

const RETRY = { minMs: 250, maxMs: 5_000 };

/**
 * Keeps every endpoint's number standing for its labels: follows the identities of the cluster, creates those in use again when they vanish,
 * gives an endpoint another when its number came back with other labels, and when its pod has other labels. What fails is tried again until
 * it is done. One endpoint at a time, so that of two changes the later one stays.
 */
export class IdentityKeeper {
  readonly #options: IdentityKeeperOptions;
  readonly #endpoints: Feed<EndpointRow>;
  readonly #identities: Feed<IdentityRow>;
  readonly #backoff: Backoff;
  readonly #wake = new Notifier();
  /** Keys of endpoints to look at. */
  readonly #suspect = new Set<string>();

  constructor(options: IdentityKeeperOptions) {
    this.#options = options;
    this.#endpoints = new Feed(options.endpoints);
    this.#identities = new Feed(options.identities);
    this.#backoff = new Backoff(RETRY, options.random);
  }

  /** The labels of these endpoints' pods may have changed. */
  suspect(concerns: (endpoint: EndpointRow) => boolean): void {
    for (const [key, endpoint] of this.#options.endpoints.rows()) if (concerns(endpoint)) this.#suspect.add(key);
    this.#wake.notify();
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, clock } = this.#options;
    const stop = store.changed.listen(() => this.#wake.notify());
    try {
      while (!signal.aborted) {
        const woken = this.#wake.wait(signal).catch(() => undefined); // rejects only by abort
        const failed = await this.#check();
        if (failed) await delay(clock, this.#backoff.next(), signal).catch(() => undefined);
        // Endpoints that wait for the identities' listing wait here too: whoever adds one wakes this loop.
        else await woken;
      }
    } finally {
      stop();
    }
  }

  /** @returns whether something must be tried again later */
  async #check(): Promise<boolean> {
    // Half of the identities would make the others look as if they had vanished.
    if (!this.#options.identities.scopes.isSynced(LOCAL_SCOPE)) return false;
    this.#collect();
    let failed = false;
    for (const key of [...this.#suspect]) {
      this.#suspect.delete(key);
      const endpoint = this.#options.endpoints.get(key);
      if (endpoint && endpoint.identity !== RESERVED_IDENTITY.unknown && !(await this.#keep(endpoint))) {
        this.#suspect.add(key);
        failed = true;
      }
    }
    if (!failed) this.#backoff.reset();
    return failed;
  }

  #collect(): void {
    for (const { key } of this.#endpoints.next().changes) this.#suspect.add(key);
    const { changes, relist } = this.#identities.next();
    const changed = new Set(changes.map((change) => Number(change.key)));
    for (const [key, { identity }] of this.#options.endpoints.rows()) if (relist || changed.has(identity)) this.#suspect.add(key);
  }

  /** @returns false when it could not be done */
  async #keep(endpoint: EndpointRow): Promise<boolean> {
    try {
      const labels = await this.#labels(endpoint);
      if (labels !== endpoint.labels) this.#options.service.relabel(endpoint, labels, await this.#options.allocator.allocate(labels));
      else await this.#keepNumber(endpoint);
      return true;
    } catch (error) {
      this.#options.onError(endpoint, error);
      return false;
    }
  }

  /** What was heard may be older than what the ADD read: where they differ, the pod itself is asked. */
  async #labels(endpoint: EndpointRow): Promise<string> {
    const heard = this.#options.labelsOf(endpoint);
    if (heard === undefined || heard === endpoint.labels) return endpoint.labels;
    try {
      return await this.#options.readLabels(endpoint.namespace, endpoint.pod);
    } catch (error) {
      if (isCoded(error, POD_NOT_FOUND)) return endpoint.labels;
      throw error;
    }
  }

  async #keepNumber(endpoint: EndpointRow): Promise<void> {
    const { allocator, identities, service } = this.#options;
    if (identities.get(String(endpoint.identity))?.labels === endpoint.labels) return;
    const identity = await allocator.keep(endpoint.identity, endpoint.labels);
    if (identity !== endpoint.identity) service.relabel(endpoint, endpoint.labels, identity);
  }
}
