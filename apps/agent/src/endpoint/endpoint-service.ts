import type { IdPool, Store, TableWriter } from '@isthmus/core';
import type { IdentityAllocator } from '@isthmus/identity';
import type { EndpointRow } from '@isthmus/model';
import type { EndpointFiles } from './endpoint-files.ts';
import type { DatapathBarrier, NodeFacts, NodeIpam, PodNetworkDriver } from './endpoint-ports.ts';
import { KeyedLock } from './keyed-lock.ts';
import { hostInterfaceName, type PodDevice } from './pod-network.ts';

/** A pod's interface that a runtime asks for. */
export interface EndpointRequest {
  readonly containerId: string;
  readonly podInterface: string;
  readonly netns: string;
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
}

/** What the service works with. */
export interface EndpointDependencies {
  readonly store: Store;
  readonly endpoints: TableWriter<EndpointRow>;
  readonly ids: IdPool;
  readonly files: EndpointFiles;
  readonly ipam: NodeIpam;
  readonly network: PodNetworkDriver;
  readonly node: NodeFacts;
  readonly identities: Pick<IdentityAllocator, 'allocate'>;
  readonly labelsOf: (namespace: string, pod: string) => Promise<string>;
  readonly settled: DatapathBarrier;
}

/** Makes and removes endpoints: the only writer of their table. */
export class EndpointService {
  readonly #with: EndpointDependencies;
  readonly #lock = new KeyedLock();

  constructor(dependencies: EndpointDependencies) {
    this.#with = dependencies;
  }

  /** The endpoint of a container's interface, if there is one. */
  find(containerId: string, podInterface: string): EndpointRow | undefined {
    for (const [, row] of this.#with.endpoints.table.rows())
      if (row.containerId === containerId && row.podInterface === podInterface) return row;
    return undefined;
  }

  /**
   * Gives a pod its network and returns when packets can flow: the kernel's datapath has the endpoint and its identity. When anything fails,
   * nothing of it stays behind. For a container that has its endpoint already, that one is returned.
   */
  add(request: EndpointRequest, signal: AbortSignal): Promise<EndpointRow> {
    return this.#lock.run(ownerOf(request), async () => {
      const known = this.find(request.containerId, request.podInterface);
      if (known && this.#with.network.find(known.interfaceName)) return known;
      if (known) this.#forget(known);
      return this.#create(request, signal);
    });
  }

  /** Removes an endpoint. @returns false when there was none */
  remove(containerId: string, podInterface: string): Promise<boolean> {
    return this.#lock.run(ownerOf({ containerId, podInterface }), async () => {
      const row = this.find(containerId, podInterface);
      // An ADD that was cut off by a crash left a device without an endpoint.
      this.#with.network.remove(row?.interfaceName ?? hostInterfaceName(containerId, podInterface));
      if (row) this.#forget(row);
      return row !== undefined;
    });
  }

  /** Gives an endpoint other labels and the identity that goes with them. */
  relabel(id: number, labels: string, identity: number): void {
    const row = this.#with.endpoints.table.get(String(id));
    if (row) this.#save({ ...row, labels, identity });
  }

  async #create(request: EndpointRequest, signal: AbortSignal): Promise<EndpointRow> {
    const owner = ownerOf(request);
    const { ipam, ids, network, node } = this.#with;
    const labels = await this.#with.labelsOf(request.namespace, request.pod);
    const gateway = node.gateway();
    const addresses = ipam.allocate(owner);
    try {
      const { containerId, netns, podInterface } = request;
      const device = network.create({ containerId, netns, podInterface, ...addresses, gateway, mtu: node.podMtu });
      const waiting = rowOf(request, device, { id: ids.idOf(owner), ...addresses, mtu: node.podMtu, labels, identity: 0 });
      this.#save(waiting);
      const row = { ...waiting, identity: await this.#with.identities.allocate(labels) };
      this.#save(row);
      await this.#with.settled(row, this.#with.store.revision, signal);
      return row;
    } catch (error) {
      this.#undo(request);
      throw error;
    }
  }

  #undo(request: EndpointRequest): void {
    const row = this.find(request.containerId, request.podInterface);
    this.#with.network.remove(hostInterfaceName(request.containerId, request.podInterface));
    if (row) this.#forget(row);
    else this.#with.ipam.release(ownerOf(request));
  }

  /** On disk first: an endpoint that the datapath knows must be known after a crash as well. */
  #save(row: EndpointRow): void {
    this.#with.files.save(row);
    this.#with.endpoints.put(String(row.id), row);
  }

  #forget(row: EndpointRow): void {
    this.#with.endpoints.delete(String(row.id));
    this.#with.files.remove(row.id);
    this.#with.ipam.release(ownerOf(row));
    this.#with.ids.release(ownerOf(row));
  }
}

/** Whose addresses and number an endpoint's are. */
export function ownerOf(endpoint: { readonly containerId: string; readonly podInterface: string }): string {
  return `${endpoint.containerId}/${endpoint.podInterface}`;
}

type RowParts = Pick<EndpointRow, 'id' | 'ipv4' | 'ipv6' | 'mtu' | 'labels' | 'identity'>;

function rowOf(request: EndpointRequest, device: PodDevice, parts: RowParts): EndpointRow {
  const { containerId, namespace, pod, podUid, podInterface, netns } = request;
  return { containerId, namespace, pod, podUid, podInterface, netns, ...device, ...parts };
}
