import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { CodedError, defineError, messageOf } from '@isthmus/core';

export const SOCKET_TAKEN = defineError(
  'SOCKET_TAKEN',
  'Another process answers on the unix socket.',
  'Stop the other agent of this node, or set `socket-path`.',
);
export const API_NOT_FOUND = defineError(
  'API_NOT_FOUND',
  'The agent has nothing under this path.',
  'See `isthmus --help`; CLI and agent may be of different versions.',
);

/** One request with what routes need of it. */
export interface ApiRequest {
  /** Path elements behind the route's own, decoded. */
  readonly rest: readonly string[];
  readonly query: URLSearchParams;
  /** The body as JSON; undefined when there is none. */
  readonly body: unknown;
  /** Aborts when the caller goes away. */
  readonly signal: AbortSignal;
}

/** A JSON answer, or a stream that the route writes itself. */
export type ApiAnswer = { readonly status?: number; readonly body: unknown } | { readonly stream: (response: ServerResponse) => void };

/** Routes by method and path prefix: `GET /v1/tables`. */
export type ApiRoutes = ReadonlyMap<string, (request: ApiRequest) => ApiAnswer | Promise<ApiAnswer>>;

const MAX_BODY_BYTES = 2 << 20;
const SOCKET_MODE = 0o660;

/** HTTP over a unix socket that only root (and its group) may open: whoever can open it is trusted. */
export class UnixServer {
  readonly #server: Server;
  readonly #path: string;

  constructor(path: string, routes: ApiRoutes) {
    this.#path = path;
    this.#server = createServer((request, response) => void answer(routes, request, response));
  }

  /** @throws CodedError SOCKET_TAKEN when someone answers there; a socket that nobody answers on is taken over */
  async start(): Promise<void> {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o750 });
    if (await answers(this.#path)) throw new CodedError(SOCKET_TAKEN, `${this.#path} is in use`, { object: this.#path });
    rmSync(this.#path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#path, resolve);
    });
    chmodSync(this.#path, SOCKET_MODE);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function answer(routes: ApiRoutes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', 'http://agent');
    const path = url.pathname
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
    const found = findRoute(routes, request.method ?? 'GET', path);
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the caller went away')));
    const result = await found.handler({ rest: found.rest, query: url.searchParams, body: await readBody(request), signal: gone.signal });
    if ('stream' in result) result.stream(response);
    else send(response, result.status ?? 200, result.body);
  } catch (error) {
    const coded = error instanceof CodedError;
    const status = coded && error.code === API_NOT_FOUND.code ? 404 : 500;
    send(response, status, coded ? error.toJSON() : { code: 'INTERNAL', message: messageOf(error), action: "Look into the agent's log." });
  }
}

function findRoute(routes: ApiRoutes, method: string, path: readonly string[]) {
  for (let length = path.length; length > 0; length--) {
    const handler = routes.get(`${method} /${path.slice(0, length).join('/')}`);
    if (handler) return { handler, rest: path.slice(length) };
  }
  const object = `${method} /${path.join('/')}`;
  throw new CodedError(API_NOT_FOUND, `nothing answers ${object}`, { object });
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY_BYTES) throw new RangeError(`a request may have ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return size === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return;
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length, connection: 'close' });
  response.end(bytes);
}
