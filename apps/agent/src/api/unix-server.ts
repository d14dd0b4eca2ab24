import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { CodedError, defineError, messageOf } from '@isthmus/core';

export const SOCKET_TAKEN = defineError(
  'SOCKET_TAKEN',
  'The path of the unix socket is in use: another process answers there, or it is not a socket.',
  'Stop the other agent of this node, or set `socket-path`.',
);
export const API_REQUEST_INVALID = defineError(
  'API_REQUEST_INVALID',
  'A request to the agent cannot be read.',
  'Send one JSON document of at most 2 MiB, and a path in percent-encoded UTF-8.',
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

/** A JSON answer, a text with its content type, or a stream that the route writes itself. */
export type ApiAnswer =
  | { readonly status?: number; readonly body: unknown }
  | { readonly text: string; readonly contentType: string }
  | { readonly stream: (response: ServerResponse) => void };

/** Answers one request. */
export type ApiHandler = (request: ApiRequest) => ApiAnswer | Promise<ApiAnswer>;

/** Routes by method and path prefix: `GET /v1/tables`. */
export type ApiRoutes = ReadonlyMap<string, ApiHandler>;

const MAX_BODY_BYTES = 2 << 20;
const SOCKET_MODE = 0o660;
const JSON_TYPE = 'application/json';
/** HTTP status by code of ours; all others are 500. */
const STATUS_OF: Readonly<Record<string, number>> = { [API_NOT_FOUND.code]: 404, [API_REQUEST_INVALID.code]: 400 };

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
    await this.#takeOver();
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#path, resolve);
    });
    chmodSync(this.#path, SOCKET_MODE);
  }

  async #takeOver(): Promise<void> {
    const there = lstatSync(this.#path, { throwIfNoEntry: false });
    if (!there) return;
    if (!there.isSocket()) throw new CodedError(SOCKET_TAKEN, `${this.#path} is not a socket`, { object: this.#path });
    if (!(await isAbandoned(this.#path))) throw new CodedError(SOCKET_TAKEN, `${this.#path} is in use`, { object: this.#path });
    rmSync(this.#path, { force: true });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Only a refused connection says that nobody listens: a full queue or a missing right does not. */
function isAbandoned(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED' || code === 'ENOENT'));
  });
}

async function answer(routes: ApiRoutes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the caller went away')));
  try {
    const { path, query } = target(request);
    const { handler, rest } = findRoute(routes, request.method ?? 'GET', path);
    const result = await handler({ rest, query, body: await readBody(request), signal: gone.signal });
    if ('stream' in result) result.stream(response);
    else if ('text' in result) send(response, 200, result.contentType, result.text);
    else send(response, result.status ?? 200, JSON_TYPE, JSON.stringify(result.body));
  } catch (error) {
    const coded = error instanceof CodedError ? error : undefined;
    const body = coded?.toJSON() ?? { code: 'INTERNAL', message: messageOf(error), action: "Look into the agent's log." };
    send(response, STATUS_OF[coded?.code ?? ''] ?? 500, JSON_TYPE, JSON.stringify(body));
    // What is left of a request that was not read would be taken for the next one.
    request.resume();
  }
}

/** @throws CodedError API_REQUEST_INVALID */
function target(request: IncomingMessage): { path: string[]; query: URLSearchParams } {
  const text = request.url ?? '/';
  try {
    const url = new URL(text, 'http://agent');
    const path = url.pathname.split('/').filter((part) => part !== '');
    return { path: path.map(decodeURIComponent), query: url.searchParams };
  } catch (cause) {
    throw new CodedError(API_REQUEST_INVALID, `${text} is not a path`, { object: text, cause });
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

/** @throws CodedError API_REQUEST_INVALID */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Not destroyed when left early: the answer goes out over the same connection.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY_BYTES) throw new CodedError(API_REQUEST_INVALID, `a request may have ${MAX_BODY_BYTES} bytes`, { object: 'body' });
    chunks.push(chunk as Buffer);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch (cause) {
    throw new CodedError(API_REQUEST_INVALID, `the body is not JSON: ${messageOf(cause)}`, { object: 'body', cause });
  }
}

function send(response: ServerResponse, status: number, contentType: string, text: string): void {
  if (response.headersSent) return;
  const bytes = Buffer.from(text);
  response.writeHead(status, { 'content-type': contentType, 'content-length': bytes.length, connection: 'close' });
  response.end(bytes);
}
