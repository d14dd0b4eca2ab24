import type { Server, ServerResponse } from 'node:http';
import { CodedError, defineError, messageOf } from '../coded-error.ts';

export const STATUS_LISTEN = defineError(
  'STATUS_LISTEN',
  'A process cannot listen on its address for health and metrics.',
  'Set prometheus-serve-addr to a free host:port, or leave it empty.',
);

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

  /** @param address `host:port`, `[host]:port` or `:port` @returns the port @throws CodedError STATUS_LISTEN */
  async listen(address: string): Promise<number> {
    const { host, port } = parseAddress(address);
    // Loaded here: it is 15 MB of memory that whoever imports this library would pay for, and few listen.
    const { createServer } = await import('node:http');
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
  return new CodedError(STATUS_LISTEN, `prometheus-serve-addr ${address}: ${why}`, { object: address, cause });
}
