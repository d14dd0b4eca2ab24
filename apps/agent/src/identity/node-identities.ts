import type { Table, TableIndex } from '@isthmus/core';
import type { IdentityAllocator } from '@isthmus/identity';
import { type EndpointRow, type IdentityRow, RESERVED_IDENTITY } from '@isthmus/model';

/**
 * Gives a pod the number that another pod of this node has for the same labels, without a way to etcd and back; asks the cluster for all
 * others. The other pod's published address keeps the number from being collected.
 */
export class NodeIdentities implements Pick<IdentityAllocator, 'allocate'> {
  readonly #endpoints: Table<EndpointRow>;
  readonly #byLabels: TableIndex<EndpointRow>;
  readonly #identities: Table<IdentityRow>;
  readonly #allocator: Pick<IdentityAllocator, 'allocate'>;

  constructor(endpoints: Table<EndpointRow>, identities: Table<IdentityRow>, allocator: Pick<IdentityAllocator, 'allocate'>) {
    this.#endpoints = endpoints;
    this.#byLabels = endpoints.index('labels', (row) => (row.identity === RESERVED_IDENTITY.unknown ? [] : [row.labels]));
    this.#identities = identities;
    this.#allocator = allocator;
  }

  async allocate(labels: string): Promise<number> {
    for (const key of this.#byLabels.get(labels)) {
      const identity = this.#endpoints.get(key)?.identity ?? RESERVED_IDENTITY.unknown;
      // A number that vanished, or came back with other labels, is the keeper's business first.
      if (this.#identities.get(String(identity))?.labels === labels) return identity;
    }
    return this.#allocator.allocate(labels);
  }
}
