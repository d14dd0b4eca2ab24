import { createServer as createHttpServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { CodedError, messageOf } from '@isthmus/core';
import type { Credential } from '../join/credential-keeper.ts';
import { type NodeTrust, nodeOfCertificate } from '../pki/node-of-certificate.ts';
import type { PairAnswer, PairRequest } from '../wireguard/preshared/pair-exchange.ts';
import { PAIR_EXCHANGE } from '../wireguard/wireguard.errors.ts';
import { CredentialContext } from './credential-context.ts';
import { PAIR_EXCHANGE_MAX_BYTES, PAIR_EXCHANGE_PATH, pairRequestSchema } from './pair-exchange-wire.ts';

/** A caller that says nothing for so long is hung up on; */
const IDLE_MS = 15_000;
/** the sooner while it has not even shown who it is: it takes the place of others. */
const STRANGER_MS = 3_000;
/**
 * Callers at a time; who comes then is sent away, and comes again. Most of them have been heard, and wait until this node has them as peers: nodes of a large mesh
 * ask so many of those that are next to them by name at once (`MAX_WAITING` of `PairAgreements`).
 */
const MAX_CONNECTIONS = 256;
/** Of those, how many are heard; the others wait. When a mesh changes its keys all come at once, and each costs a millisecond or two. */
const AT_ONCE = 4;
/** An answer that takes longer waits for something: meanwhile others are heard. */
const HEARD_MS = 50;

/** What a {@link PairExchangeServer} works with. */
export interface PairExchangeServerOptions {
  readonly address: string;
  /** 0: any that is free. */
  readonly port: number;
  /** The node's own, as it is now: read for each caller. */
  readonly credential: () => Promise<Credential>;
  readonly trust: NodeTrust;
  /** @param caller `<cluster>/<node>` @throws CodedError what the caller is told */
  readonly accept: (caller: string, request: PairRequest) => Promise<PairAnswer>;
  /** Told of who is sent away, and why. */
  readonly onRefused: (caller: string, error: unknown) => void;
}

/** Lets other nodes agree with this one on preshared keys: HTTPS, TLS 1.3, both sides by their agents' certificates. */
export class PairExchangeServer {
  readonly #options: PairExchangeServerOptions;
  readonly #http: HttpServer;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Those that wait, and how many are heard. */
  readonly #waiting: Socket[] = [];
  #heard = 0;
  /** What is to be done when somebody has been heard. */
  readonly #ends = new WeakMap<Socket, () => void>();
  readonly #context = new CredentialContext();

  constructor(options: PairExchangeServerOptions) {
    this.#options = options;
    this.#http = createHttpServer((request, response) => void this.#answer(request, response));
    this.#server = createServer((socket) => this.#admit(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** @returns the port @throws Error when the address cannot be listened on */
  async listen(): Promise<number> {
    const { address, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, address, resolve);
    });
    return (this.#server.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #admit(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    this.#waiting.push(socket);
    this.#welcomeNext();
  }

  #welcomeNext(): void {
    if (this.#heard === AT_ONCE) return;
    const socket = this.#waiting.shift();
    if (socket === undefined) return;
    this.#heard++;
    let hasEnded = false;
    const end = (): void => {
      if (hasEnded) return;
      hasEnded = true;
      this.#heard--;
      this.#welcomeNext();
    };
    if (socket.destroyed) end();
    else {
      socket.once('close', end);
      void this.#welcome(socket, end);
    }
  }

  /** Certificates are read for each caller: they are renewed while the server runs. */
  async #welcome(socket: Socket, end: () => void): Promise<void> {
    try {
      const secureContext = this.#context.of(await this.#options.credential());
      // Who it is gets checked before anything is read, by the CA of the cluster that it names.
      const secure = new TLSSocket(socket, { isServer: true, secureContext, requestCert: true, rejectUnauthorized: false });
      secure.on('error', () => socket.destroy());
      this.#ends.set(secure, end);
      socket.setTimeout(STRANGER_MS);
      secure.once('secure', () => {
        socket.setTimeout(IDLE_MS);
        this.#http.emit('connection', secure);
      });
    } catch (error) {
      this.#options.onRefused(socket.remoteAddress ?? '', error);
      socket.destroy();
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let caller = request.socket.remoteAddress ?? '';
    try {
      caller = await this.#identify(request);
      const wanted = await read(request);
      setTimeout(() => this.#ends.get(request.socket)?.(), HEARD_MS).unref();
      const { ciphertext, confirmation } = await this.#options.accept(caller, wanted);
      send(response, 200, { ciphertext: base64(ciphertext), confirmation: base64(confirmation) });
    } catch (error) {
      this.#options.onRefused(caller, error);
      send(response, 409, refusal(error));
      request.resume();
    }
  }

  async #identify(request: IncomingMessage): Promise<string> {
    const certificate = (request.socket as TLSSocket).getPeerX509Certificate();
    if (certificate === undefined) throw new CodedError(PAIR_EXCHANGE, 'the caller shows no certificate');
    return nodeOfCertificate(certificate.toString(), 'client', this.#options.trust);
  }
}

async function read(request: IncomingMessage): Promise<PairRequest> {
  if (request.method !== 'POST' || request.url !== PAIR_EXCHANGE_PATH)
    throw new CodedError(PAIR_EXCHANGE, `there is no ${request.method} ${request.url}`);
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > PAIR_EXCHANGE_MAX_BYTES) throw new CodedError(PAIR_EXCHANGE, `a request is longer than ${PAIR_EXCHANGE_MAX_BYTES} bytes`);
    parts.push(part);
  }
  const parsed = pairRequestSchema.safeParse(jsonOf(Buffer.concat(parts).toString()));
  if (parsed.success) return parsed.data;
  throw new CodedError(
    PAIR_EXCHANGE,
    `a request is malformed: ${parsed.error.issues.map(({ path }) => path.join('.') || 'body').join(', ')}`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(error: unknown): object {
  const coded = error instanceof CodedError ? error : new CodedError(PAIR_EXCHANGE, messageOf(error));
  return coded.toJSON();
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify(body));
}
