import { Feed, type Table } from '@isthmus/core';
import type { IdentityAllocator } from '@isthmus/identity';
import type { EndpointRow, IdentityRow } from '@isthmus/model';
import type { EndpointService } from './endpoint-service.ts';

/** What the keeper watches and tells. */
export interface IdentityKeeperOptions {
  readonly endpoints: Table<EndpointRow>;
  readonly identities: Table<IdentityRow>;
  readonly allocator: Pick<IdentityAllocator, 'keep' | 'allocate'>;
  readonly service: Pick<EndpointService, 'relabel'>;
  readonly onError: (endpoint: number, error: unknown) => void;
}

/**
 * Keeps every endpoint's number standing for its labels: follows the identities of the cluster, creates those in use again when they vanish,
 * and gives an endpoint another when its number came back with other labels.
 */
export class IdentityKeeper {
  readonly #options: IdentityKeeperOptions;
  readonly #feed: Feed<IdentityRow>;

  constructor(options: IdentityKeeperOptions) {
    this.#options = options;
    this.#feed = new Feed(options.identities);
  }

  /** Looks at what changed since the last call. Call it once the identities are synced, and whenever they change. */
  async check(): Promise<void> {
    const { changes, relist } = this.#feed.next();
    const changed = new Set(changes.map((change) => Number(change.key)));
    for (const [, endpoint] of [...this.#options.endpoints.rows()]) {
      if (endpoint.identity === 0 || !(relist || changed.has(endpoint.identity))) continue;
      if (this.#options.identities.get(String(endpoint.identity))?.labels !== endpoint.labels) await this.#keep(endpoint);
    }
  }

  /** A pod has other labels: another identity. */
  async relabel(endpoint: EndpointRow, labels: string): Promise<void> {
    if (labels === endpoint.labels) return;
    try {
      this.#options.service.relabel(endpoint.id, labels, await this.#options.allocator.allocate(labels));
    } catch (error) {
      this.#options.onError(endpoint.id, error);
    }
  }

  async #keep(endpoint: EndpointRow): Promise<void> {
    try {
      const identity = await this.#options.allocator.keep(endpoint.identity, endpoint.labels);
      if (identity !== endpoint.identity) this.#options.service.relabel(endpoint.id, endpoint.labels, identity);
    } catch (error) {
      this.#options.onError(endpoint.id, error);
    }
  }
}
