import { createServer, type Server, type ServerResponse } from 'node:http';
import { CodedError, messageOf } from '@isthmus/core';
import { OPERATOR_LISTEN } from '../operator.errors.ts';
import type { Operator } from '../operator.ts';
import type { OperatorMetrics } from './operator-metrics.ts';

/** What the status server tells. */
export interface StatusSources {
  /** Undefined when ready; otherwise why not. */
  notReady(): string | undefined;
  metrics(): Promise<{ contentType: string; body: string }>;
}

/** `/healthz`, `/readyz` and `/metrics` over plain HTTP, for probes and Prometheus. */
export class StatusServer {
  readonly #sources: StatusSources;
  #server: Server | undefined;

  constructor(sources: StatusSources) {
    this.#sources = sources;
  }

  /** The server of an operator. */
  static of(operator: Operator, metrics: OperatorMetrics): StatusServer {
    return new StatusServer({
      notReady: () => operator.notReady(),
      metrics: async () => {
        operator.measure();
        return { contentType: metrics.registry.contentType, body: await metrics.registry.metrics() };
      },
    });
  }

  /** @param address `host:port`, `[host]:port` or `:port` @returns the port @throws CodedError OPERATOR_LISTEN */
  async listen(address: string): Promise<number> {
    const { host, port } = parseAddress(address);
    const server = createServer((request, response) => {
      this.#answer(request.url?.split('?')[0] ?? '/', response).catch((error: unknown) => send(response, 500, messageOf(error)));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(cannot(address, messageOf(cause), cause)));
      server.listen(port, host, resolve);
    });
    this.#server = server;
    return (server.address() as { port: number }).port;
  }

  /** Ends listening and all connections. */
  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  async #answer(path: string, response: ServerResponse): Promise<void> {
    if (path === '/healthz') return send(response, 200, 'ok');
    if (path === '/readyz') {
      const why = this.#sources.notReady();
      return send(response, why === undefined ? 200 : 503, why ?? 'ok');
    }
    if (path !== '/metrics') return send(response, 404, 'there are /healthz, /readyz and /metrics');
    const { contentType, body } = await this.#sources.metrics();
    send(response, 200, body, contentType);
  }
}

function send(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type }).end(body.endsWith('\n') ? body : `${body}\n`);
}

function parseAddress(address: string): { host: string | undefined; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(address);
  if (!match || Number(match[3]) > 65_535) throw cannot(address, 'it is no host:port');
  return { host: match[1] ?? (match[2] || undefined), port: Number(match[3]) };
}

function cannot(address: string, why: string, cause?: unknown): CodedError {
  return new CodedError(OPERATOR_LISTEN, `prometheus-serve-addr ${address}: ${why}`, { object: address, cause });
}
