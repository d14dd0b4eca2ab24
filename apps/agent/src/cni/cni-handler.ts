import { CodedError, messageOf } from '@isthmus/core';
import type { EndpointRow } from '@isthmus/model';
import { ENDPOINT_BROKEN, ENDPOINT_NOT_FOUND, ENDPOINTS_REMAIN, notReady } from '../agent.errors.ts';
import type { NodeFacts, PodNetworkDriver } from '../endpoint/endpoint-ports.ts';
import type { Attachment, EndpointService } from '../endpoint/endpoint-service.ts';
import { CNI_CODE } from './cni-code.ts';
import { cniError } from './cni-error.ts';
import { type CniRequest, parseCniRequest, podOf, VALID_ATTACHMENTS, versionOf } from './cni-request.ts';
import { addResult, previousResult, resultBefore } from './cni-result.ts';
import type { DeleteQueue } from './delete-queue.ts';
import { endpointFaults } from './endpoint-faults.ts';

/** An HTTP answer for the shim: 200 is printed as the result, anything else as the error. */
export interface CniAnswer {
  status: number;
  body: object;
}

/** Why the agent cannot serve pods now. */
export interface Unavailable {
  readonly error: CodedError;
  /** The pods that it has may suffer from it, too. */
  readonly limited: boolean;
}

/** What the handler asks. */
export interface CniHandlerOptions {
  readonly endpoints: EndpointService;
  readonly network: Pick<PodNetworkDriver, 'inspect'>;
  readonly node: Pick<NodeFacts, 'gateway'>;
  readonly deletes: Pick<DeleteQueue, 'has' | 'done'>;
  /** All endpoints, for GC. */
  readonly attachments: () => readonly Pick<EndpointRow, 'containerId' | 'podInterface' | 'network'>[];
  /** What the agent still waits for before it can serve pods; undefined when it can. */
  readonly waitingFor: () => string | undefined;
  /** Whether an ADD would fail now for want of something, and why. */
  readonly unavailable: () => Unavailable | undefined;
}

/** CNI 1.1 (and 0.3.1 to 1.0.0) on top of endpoints. */
export class CniHandler {
  readonly #with: CniHandlerOptions;

  constructor(options: CniHandlerOptions) {
    this.#with = options;
  }

  /** Answers one call of the shim; never throws. */
  async handle(body: unknown, signal: AbortSignal): Promise<CniAnswer> {
    try {
      const request = parseCniRequest(body);
      return request.command === 'STATUS' ? this.#status(request) : { status: 200, body: await this.#dispatch(request, signal) };
    } catch (error) {
      return { status: 500, body: cniError(versionOf(body), error) };
    }
  }

  #dispatch(request: CniRequest, signal: AbortSignal): Promise<object> {
    switch (request.command) {
      case 'ADD':
        return this.#add(request, signal);
      case 'CHECK':
        return this.#check(request, signal);
      case 'GC':
        return this.#gc(request);
      default:
        return this.#del(attachmentOf(request));
    }
  }

  async #add(request: CniRequest, signal: AbortSignal): Promise<object> {
    const { config, netns } = request;
    const before = resultBefore(config);
    const attachment = attachmentOf(request);
    const pod = podOf(request);
    this.#ready();
    // The DEL of an earlier life of this attachment came first, though the agent has not got to it yet.
    if (this.#with.deletes.has(attachment)) await this.#del(attachment);
    const row = await this.#with.endpoints.add({ network: config.name, ...attachment, netns, ...pod }, signal);
    return addResult(config.cniVersion, before, row, this.#with.node.gateway());
  }

  /** Never fails for what is gone already: runtimes call DEL until it succeeds. */
  async #del(attachment: Attachment): Promise<object> {
    await this.#with.endpoints.remove(attachment.containerId, attachment.podInterface);
    this.#with.deletes.done(attachment);
    return {};
  }

  /** To a runtime an error means that the pod's network is broken for good: none while the agent has yet to find out. */
  async #check(request: CniRequest, signal: AbortSignal): Promise<object> {
    const previous = previousResult(request.config) ?? { interfaces: [], ips: [], routes: [] };
    this.#ready();
    const row = this.#with.endpoints.find(request.containerId, request.ifname);
    if (!row) throw new CodedError(ENDPOINT_NOT_FOUND, `no endpoint for container ${request.containerId}`, { object: request.containerId });
    const object = `${row.namespace}/${row.pod}`;
    const faults = endpointFaults(row, this.#with.network.inspect(row), this.#with.node.gateway(), previous);
    if (faults.length > 0) throw new CodedError(ENDPOINT_BROKEN, `${object}: ${faults.join('; ')}`, { object });
    if (row.identity === 0) throw new CodedError(ENDPOINT_BROKEN, `${object} has no identity`, { object });
    await this.#with.endpoints.settle(row, signal);
    return {};
  }

  /** Removes what the runtime does not name of its network. One that cannot be removed does not keep the others. */
  async #gc({ config }: CniRequest): Promise<object> {
    this.#ready();
    const valid = new Set(config[VALID_ATTACHMENTS]?.map((each) => `${each.containerID}/${each.ifname}`));
    const stale = this.#with.attachments().filter((each) => !valid.has(`${each.containerId}/${each.podInterface}`));
    const failures: string[] = [];
    for (const each of stale.filter(({ network }) => network === config.name))
      await this.#del(each).catch((error: unknown) => failures.push(`${each.containerId} ${each.podInterface}: ${messageOf(error)}`));
    if (failures.length > 0)
      throw new CodedError(ENDPOINTS_REMAIN, `${failures.length} remain: ${failures.join('; ')}`, { object: config.name });
    return {};
  }

  #status({ config }: CniRequest): CniAnswer {
    const unavailable = this.#with.unavailable();
    if (!unavailable) return { status: 200, body: {} };
    const code = unavailable.limited ? CNI_CODE.limitedConnectivity : CNI_CODE.notAvailable;
    return { status: 500, body: cniError(config.cniVersion, unavailable.error, code) };
  }

  #ready(): void {
    const waiting = this.#with.waitingFor();
    if (waiting !== undefined) throw notReady(waiting);
  }
}

function attachmentOf({ containerId, ifname }: CniRequest): Attachment {
  return { containerId, podInterface: ifname };
}
