import { CodedError, type IdPool, type Store, type TableIndex, type TableWriter } from '@isthmus/core';
import type { IdentityAllocator } from '@isthmus/identity';
import { type EndpointRow, RESERVED_IDENTITY } from '@isthmus/model';
import { ENDPOINT_BROKEN, ENDPOINT_EXISTS } from '../agent.errors.ts';
import type { EndpointFiles } from './endpoint-files.ts';
import type { DatapathBarrier, NodeFacts, NodeIpam, PodNetworkDriver } from './endpoint-ports.ts';
import { KeyedLock } from './keyed-lock.ts';
import { hostInterfaceName } from './pod-network.ts';

const { unknown: UNKNOWN } = RESERVED_IDENTITY;

/** A pod's interface that a runtime asks for. */
export interface EndpointRequest {
  /** Name of the CNI network. */
  readonly network: string;
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
  readonly #byDevice: TableIndex<EndpointRow>;
  /** Owners whose ADD is going on. */
  readonly #unfinished = new Set<string>();

  constructor(dependencies: EndpointDependencies) {
    this.#with = dependencies;
    this.#byOwner = dependencies.endpoints.table.index('owner', (row) => [ownerOf(row)]);
    this.#byDevice = dependencies.endpoints.table.index('device', (row) => [row.interfaceName]);
  }

  /** The endpoint of a container's interface, if there is one. */
  find(containerId: string, podInterface: string): EndpointRow | undefined {
    const [key] = this.#byOwner.get(ownerOf({ containerId, podInterface }));
    return key === undefined ? undefined : this.#with.endpoints.table.get(key);
  }

  /**
   * Gives a pod its network and returns when packets can flow: the kernel's datapath has the endpoint and its identity. When anything fails,
   * nothing of it stays behind; what an ADD left that was cut off is made anew.
   * @throws CodedError ENDPOINT_EXISTS when the container has this interface: what it has stays as it is
   */
  add(request: EndpointRequest, signal: AbortSignal): Promise<EndpointRow> {
    return this.#lock.run(ownerOf(request), async () => {
      const known = this.find(request.containerId, request.podInterface);
      if (known && this.#stands(known)) throw exists(`${request.containerId} has ${request.podInterface} already`, known);
      const other = this.#otherWithDevice(hostInterfaceName(request.containerId, request.podInterface), ownerOf(request));
      if (other) throw exists(`device ${other.interfaceName} is that of ${other.namespace}/${other.pod}`, other);
      this.#discard(request);
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

  /** Resolves when the datapath has what an endpoint's row says. @throws CodedError ENDPOINT_NOT_SETTLED */
  async settle(row: EndpointRow, signal: AbortSignal): Promise<void> {
    await this.#with.settled(row, this.#with.store.revision, signal);
  }

  /** Gives an endpoint other labels and the identity that goes with them, unless it is gone or another's meanwhile. */
  relabel(endpoint: EndpointRow, labels: string, identity: number): void {
    const row = this.find(endpoint.containerId, endpoint.podInterface);
    if (row?.id !== endpoint.id || row.identity === UNKNOWN) return;
    const next = { ...row, labels, identity };
    if (!this.#unfinished.has(ownerOf(row))) this.#with.files.save(next);
    this.#with.endpoints.put(String(row.id), next);
  }

  /** Whether an endpoint is there. One of an ADD that was cut off is not. */
  #stands(row: EndpointRow): boolean {
    return row.identity !== UNKNOWN && this.#with.network.find(row.interfaceName)?.index === row.ifindex;
  }

  /** Names of devices are short, and made from longer ones: that of one container may be another's. */
  #otherWithDevice(name: string, owner: string): EndpointRow | undefined {
    const rows = [...this.#byDevice.get(name)].map((key) => this.#with.endpoints.table.get(key));
    return rows.find((row) => row !== undefined && ownerOf(row) !== owner);
  }

  async #create(request: EndpointRequest, signal: AbortSignal): Promise<EndpointRow> {
    const owner = ownerOf(request);
    this.#unfinished.add(owner);
    try {
      const identity = this.#identify(request, signal);
      identity.catch(() => undefined); // seen below, unless the kernel failed first
      // Attaching a program takes the kernel as long as an answer of etcd: both go on at once.
      await turn();
      const row = { ...this.#attach(request), ...(await identity) };
      signal.throwIfAborted();
      this.#with.endpoints.put(String(row.id), row);
      await this.settle(row, signal);
      signal.throwIfAborted();
      return this.#finish(row);
    } catch (error) {
      this.#undo(request);
      throw error;
    } finally {
      this.#unfinished.delete(owner);
    }
  }

  /** Writes down that the ADD has happened: from here on a crash does not undo it. Its labels may have changed meanwhile. */
  #finish({ id, netns, interfaceName }: EndpointRow): EndpointRow {
    const row = this.#with.endpoints.table.get(String(id));
    this.#with.network.visit(netns);
    if (!row || !this.#stands(row)) throw new CodedError(ENDPOINT_BROKEN, `device ${interfaceName} is gone`, { object: interfaceName });
    this.#with.files.save(row);
    return row;
  }

  async #identify({ namespace, pod }: EndpointRequest, signal: AbortSignal): Promise<{ labels: string; identity: number }> {
    const labels = await this.#with.labelsOf(namespace, pod);
    signal.throwIfAborted();
    return { labels, identity: await this.#with.identities.allocate(labels) };
  }

  /**
   * Makes the pod's devices, and an endpoint that gets no packets yet. It is on disk before, as one without an identity: what a crash leaves
   * of it is found and taken away by the next agent.
   */
  #attach(request: EndpointRequest): EndpointRow {
    const { ipam, ids, network, node, endpoints, files } = this.#with;
    const { containerId, netns, podInterface } = request;
    const gateway = node.gateway();
    const addresses = ipam.allocate(ownerOf(request));
    const planned = rowOf(request, { id: ids.idOf(ownerOf(request)), ...addresses, mtu: node.podMtu });
    files.save(planned, 'until the machine ends');
    const device = network.create({ containerId, netns, podInterface, ...addresses, gateway, mtu: node.podMtu });
    const row = { ...planned, ...device };
    endpoints.put(String(row.id), row);
    return row;
  }

  #undo(request: EndpointRequest): void {
    try {
      this.#discard(request);
    } catch (error) {
      this.#with.onLeftover(request, error);
    }
  }

  /**
   * Takes away whatever there is of an endpoint. The device goes first: while it is there its addresses are not free, and the endpoint stays
   * known until it can be removed. A crash of the agent may have left a device alone.
   */
  #discard(attachment: Attachment): void {
    const { network, endpoints, ipam, ids, files } = this.#with;
    const owner = ownerOf(attachment);
    const row = this.find(attachment.containerId, attachment.podInterface);
    const device = row?.interfaceName ?? hostInterfaceName(attachment.containerId, attachment.podInterface);
    if (!this.#otherWithDevice(device, owner)) network.remove(device);
    ipam.release(owner);
    if (row) endpoints.delete(String(row.id));
    if (ids.has(owner)) files.remove(ids.idOf(owner));
    ids.release(owner);
  }
}

/** Whose addresses and number an endpoint's are. */
export function ownerOf(endpoint: Attachment): string {
  return `${endpoint.containerId}/${endpoint.podInterface}`;
}

type RowParts = Pick<EndpointRow, 'id' | 'ipv4' | 'ipv6' | 'mtu'>;

/** An endpoint that has neither device nor identity yet. */
function rowOf(request: EndpointRequest, parts: RowParts): EndpointRow {
  const interfaceName = hostInterfaceName(request.containerId, request.podInterface);
  return { ...request, ...parts, interfaceName, ifindex: 0, mac: '', hostMac: '', labels: '', identity: UNKNOWN };
}

function exists(message: string, { namespace, pod }: EndpointRow): CodedError {
  return new CodedError(ENDPOINT_EXISTS, message, { object: `${namespace}/${pod}` });
}

/** Lets what was just asked of etcd go out before the kernel's calls keep the process busy. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
