import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '@isthmus/core';

/** What the process says about itself. */
export interface HealthReport {
  /** What is still missing before the process can do its work; empty when ready. */
  missing(): Promise<readonly string[]>;
  /** Metrics in Prometheus' text form. */
  metrics(): Promise<string>;
}

/** A running health server. */
export interface HealthServer {
  /** `http://host:port` */
  url: string;
  close(): Promise<void>;
}

/**
 * Serves `/healthz`, `/readyz` and `/metrics` over plain HTTP to anyone, and nothing else: probes and scrapers hold no certificates.
 * @throws Error when the address cannot be listened on
 */
export async function startHealthServer(listen: { host: string; port: number }, report: HealthReport): Promise<HealthServer> {
  const server = createServer((request, response) => void answer(request, response, report));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(listen.port, listen.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, report: HealthReport): Promise<void> {
  try {
    const [status, body] = await bodyOf(request.url ?? '', report);
    response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body);
  } catch (error) {
    // A scraper shows this text to people; it is the process's own fault, never the caller's.
    response.writeHead(500, { 'content-type': 'text/plain' }).end(`${messageOf(error)}\n`);
  }
}

async function bodyOf(url: string, report: HealthReport): Promise<[status: number, body: string]> {
  switch (url.split('?')[0]) {
    case '/healthz':
      return [200, 'ok\n'];
    case '/readyz': {
      const missing = await report.missing();
      return missing.length === 0 ? [200, 'ok\n'] : [503, `waiting for: ${missing.join(', ')}\n`];
    }
    case '/metrics':
      return [200, await report.metrics()];
    default:
      return [404, 'there are /healthz, /readyz and /metrics\n'];
  }
}
