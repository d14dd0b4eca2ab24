import { CodedError, messageOf } from '@isthmus/core';
import { AGENT_NOT_READY, CNI_REQUEST_INVALID, ENDPOINT_BROKEN, ENDPOINT_NOT_FOUND } from '../agent.errors.ts';
import type { NodeFacts, PodNetworkDriver } from '../endpoint/endpoint-ports.ts';
import type { EndpointService } from '../endpoint/endpoint-service.ts';
import { cniError } from './cni-error.ts';
import { type CniRequest, parseCniRequest, podOf, VALID_ATTACHMENTS, versionOf } from './cni-request.ts';
import { addResult, addressesOf } from './cni-result.ts';

/** An HTTP answer for the shim: 200 is printed as the result, anything else as the error. */
export interface CniAnswer {
  status: number;
  body: object;
}

/** What the handler asks. */
export interface CniHandlerOptions {
  readonly endpoints: EndpointService;
  readonly network: Pick<PodNetworkDriver, 'find'>;
  readonly node: Pick<NodeFacts, 'gateway'>;
  /** All endpoints, for GC. */
  readonly attachments: () => readonly { containerId: string; podInterface: string }[];
  /** What the agent still waits for before it can serve pods; undefined when it can. */
  readonly waitingFor: () => string | undefined;
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
      return { status: 200, body: await this.#dispatch(parseCniRequest(body), signal) };
    } catch (error) {
      return { status: 500, body: cniError(versionOf(body), error, (body as { command?: unknown } | null | undefined)?.command) };
    }
  }

  #dispatch(request: CniRequest, signal: AbortSignal): Promise<object> {
    switch (request.command) {
      case 'ADD':
        return this.#add(request, signal);
      case 'DEL':
        return this.#del(request);
      case 'CHECK':
        return this.#check(request);
      case 'GC':
        return this.#gc(request);
      case 'STATUS':
        return this.#status();
    }
  }

  async #add(request: CniRequest, signal: AbortSignal): Promise<object> {
    if (request.config.prevResult)
      throw new CodedError(CNI_REQUEST_INVALID, 'prevResult: this plugin must be the first of its chain', { object: 'prevResult' });
    this.#ready();
    const row = await this.#with.endpoints.add(
      { containerId: request.containerId, podInterface: request.ifname, netns: request.netns, ...podOf(request) },
      signal,
    );
    return addResult(request.config.cniVersion, row, this.#with.node.gateway());
  }

  /** Never fails for what is gone already: runtimes call DEL until it succeeds. */
  async #del(request: CniRequest): Promise<object> {
    await this.#with.endpoints.remove(request.containerId, request.ifname);
    return {};
  }

  async #check(request: CniRequest): Promise<object> {
    const row = this.#with.endpoints.find(request.containerId, request.ifname);
    if (!row) throw new CodedError(ENDPOINT_NOT_FOUND, `no endpoint for container ${request.containerId}`, { object: request.containerId });
    const object = `${row.namespace}/${row.pod}`;
    if (!this.#with.network.find(row.interfaceName))
      throw new CodedError(ENDPOINT_BROKEN, `device ${row.interfaceName} is gone`, { object });
    const missing = addressesOf(request.config.prevResult ?? {}, row.podInterface).find((ip) => ip !== row.ipv4 && ip !== row.ipv6);
    if (missing) throw new CodedError(ENDPOINT_BROKEN, `the endpoint does not have address ${missing}`, { object });
    if (row.identity === 0) throw new CodedError(ENDPOINT_BROKEN, 'the endpoint has no identity yet', { object });
    return {};
  }

  /** Removes what the runtime does not name. One that cannot be removed does not keep the others. */
  async #gc(request: CniRequest): Promise<object> {
    this.#ready();
    const valid = new Set(request.config[VALID_ATTACHMENTS]?.map((each) => `${each.containerID}/${each.ifname}`));
    const failures: unknown[] = [];
    for (const { containerId, podInterface } of this.#with.attachments()) {
      if (valid.has(`${containerId}/${podInterface}`)) continue;
      await this.#with.endpoints.remove(containerId, podInterface).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures, failures.map(messageOf).join('; '));
    return {};
  }

  async #status(): Promise<object> {
    this.#ready();
    return {};
  }

  #ready(): void {
    const waiting = this.#with.waitingFor();
    if (waiting !== undefined) throw new CodedError(AGENT_NOT_READY, `the agent waits for ${waiting}`, { object: waiting });
  }
}
