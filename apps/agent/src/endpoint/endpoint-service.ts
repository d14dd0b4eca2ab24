import type { IdPool, Store, TableIndex, TableWriter } from '@isthmus/core';
import type { IdentityAllocator } from '@isthmus/identity';
import { type EndpointRow, RESERVED_IDENTITY } from '@isthmus/model';
import type { EndpointFiles } from './endpoint-files.ts';
import type { DatapathBarrier, NodeFacts, NodeIpam, PodNetworkDriver } from './endpoint-ports.ts';
import { KeyedLock } from './keyed-lock.ts';
import { hostInterfaceName, type PodDevice } from './pod-network.ts';

const { unknown: UNKNOWN } = RESERVED_IDENTITY;

/** A pod's interface that a runtime asks for. */
export interface EndpointRequest {
  readonly containerId: string;
  readonly podInterface: string;
  readonly netns: string;
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
}

/** One interface of one container: what endpoints are known by to runtimes. */
export type Attachment = Pick<EndpointRequest, 'containerId' | 'podInterface'>;

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
  /** Hears of what a failed ADD could not take back; the runtime's DEL tries again. */
  readonly onLeftover: (attachment: Attachment, error: unknown) => void;
}

/** Makes and removes endpoints: the only writer of their table. */
export class EndpointService {
  readonly #with: EndpointDependencies;
  readonly #lock = new KeyedLock();
  readonly #byOwner: TableIndex<EndpointRow>;

  constructor(dependencies: EndpointDependencies) {
    this.#with = dependencies;
    this.#byOwner = dependencies.endpoints.table.index('owner', (row) => [ownerOf(row)]);
  }

  /** The endpoint of a container's interface, if there is one. */
  find(containerId: string, podInterface: string): EndpointRow | undefined {
    const [key] = this.#byOwner.get(ownerOf({ containerId, podInterface }));
    return key === undefined ? undefined : this.#with.endpoints.table.get(key);
  }

  /**
   * Gives a pod its network and returns when packets can flow: the kernel's datapath has the endpoint and its identity. When anything fails,
   * nothing of it stays behind. For a container that has its endpoint already, that one is returned.
   */
  add(request: EndpointRequest, signal: AbortSignal): Promise<EndpointRow> {
    return this.#lock.run(ownerOf(request), async () => {
      const known = this.find(request.containerId, request.podInterface);
      if (!known) return this.#create(request, signal);
      if (this.#serves(known, request)) return this.#settle(known, signal);
      this.#discard(known);
      return this.#create(request, signal);
    });
  }

  /** Removes an endpoint. @returns false when there was none */
  remove(containerId: string, podInterface: string): Promise<boolean> {
    const attachment = { containerId, podInterface };
    return this.#lock.run(ownerOf(attachment), async () => {
      const known = this.find(containerId, podInterface) !== undefined;
      this.#discard(attachment);
      return known;
    });
  }

  /** Gives an endpoint other labels and the identity that goes with them, unless it is gone or another's meanwhile. */
  relabel(endpoint: EndpointRow, labels: string, identity: number): void {
    const row = this.find(endpoint.containerId, endpoint.podInterface);
    if (row?.id === endpoint.id && row.identity !== UNKNOWN) this.#save({ ...row, labels, identity });
  }

  /** Whether this endpoint is what is asked for. An ADD that was cut off, or another pod's namespace, is not. */
  #serves(row: EndpointRow, { namespace, pod, netns }: EndpointRequest): boolean {
    const same = row.namespace === namespace && row.pod === pod && row.netns === netns;
    return same && row.identity !== UNKNOWN && this.#with.network.find(row.interfaceName)?.index === row.ifindex;
  }

  async #create(request: EndpointRequest, signal: AbortSignal): Promise<EndpointRow> {
    try {
      const identity = this.#identify(request, signal);
      identity.catch(() => undefined); // seen below, unless the kernel failed first
      // Attaching a program takes the kernel as long as an answer of etcd: both go on at once.
      await turn();
      const row = { ...this.#attach(request), ...(await identity) };
      signal.throwIfAborted();
      this.#save(row);
      return await this.#settle(row, signal);
    } catch (error) {
      this.#undo(request);
      throw error;
    }
  }

  async #identify({ namespace, pod }: EndpointRequest, signal: AbortSignal): Promise<{ labels: string; identity: number }> {
    const labels = await this.#with.labelsOf(namespace, pod);
    signal.throwIfAborted();
    return { labels, identity: await this.#with.identities.allocate(labels) };
  }

  /** Makes the pod's devices, and an endpoint that gets no packets yet. It is not on disk: an ADD cut off by a crash has not happened. */
  #attach(request: EndpointRequest): EndpointRow {
    const { ipam, ids, network, node, endpoints } = this.#with;
    const { containerId, netns, podInterface } = request;
    const gateway = node.gateway();
    const addresses = ipam.allocate(ownerOf(request));
    const device = network.create({ containerId, netns, podInterface, ...addresses, gateway, mtu: node.podMtu });
    const row = rowOf(request, device, { id: ids.idOf(ownerOf(request)), ...addresses, mtu: node.podMtu, labels: '', identity: UNKNOWN });
    endpoints.put(String(row.id), row);
    return row;
  }

  async #settle(row: EndpointRow, signal: AbortSignal): Promise<EndpointRow> {
    await this.#with.settled(row, this.#with.store.revision, signal);
    return row;
  }

  #undo(request: EndpointRequest): void {
    try {
      this.#discard(request);
    } catch (error) {
      this.#with.onLeftover(request, error);
    }
  }

  /** On disk first: an endpoint that gets packets must be known after a crash as well. */
  #save(row: EndpointRow): void {
    this.#with.files.save(row);
    this.#with.endpoints.put(String(row.id), row);
  }

  /**
   * Takes away whatever there is of an endpoint. The device goes first: while it is there its addresses are not free, and the endpoint stays
   * known until it can be removed. A crash of the agent may have left a device alone.
   */
  #discard(attachment: Attachment): void {
    const { network, endpoints, ipam, ids, files } = this.#with;
    const row = this.find(attachment.containerId, attachment.podInterface);
    network.remove(row?.interfaceName ?? hostInterfaceName(attachment.containerId, attachment.podInterface));
    ipam.release(ownerOf(attachment));
    ids.release(ownerOf(attachment));
    if (!row) return;
    endpoints.delete(String(row.id));
    files.remove(row.id);
  }
}

/** Whose addresses and number an endpoint's are. */
export function ownerOf(endpoint: Attachment): string {
  return `${endpoint.containerId}/${endpoint.podInterface}`;
}

type RowParts = Pick<EndpointRow, 'id' | 'ipv4' | 'ipv6' | 'mtu' | 'labels' | 'identity'>;

function rowOf(request: EndpointRequest, device: PodDevice, parts: RowParts): EndpointRow {
  const { containerId, namespace, pod, podUid, podInterface, netns } = request;
  return { containerId, namespace, pod, podUid, podInterface, netns, ...device, ...parts };
}

/** Lets what was just asked of etcd go out before the kernel's calls keep the process busy. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
