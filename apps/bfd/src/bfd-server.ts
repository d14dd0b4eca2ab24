import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { type BfdMessage, LineReader } from '@isthmus/bgp';
import { CodedError } from '@isthmus/core';
import { BFD_SOCKET_TAKEN } from './bfd.errors.ts';

/** Whoever can open the socket decides over the node's sessions: root alone. */
const SOCKET_UMASK = 0o177;
/** A client that does not read for so long is let go, in bytes. */
const MAX_UNREAD = 8 << 20;

/** What the server needs. */
export interface BfdServerOptions {
  readonly path: string;
  /** What a new client is told. */
  readonly greeting: () => BfdMessage;
  /** Answers one line; never throws. */
  readonly answer: (line: string) => BfdMessage;
}

/** The unix socket of the BFD process: JSON objects, one per line, in both directions. */
export class BfdServer {
  readonly #options: BfdServerOptions;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();

  constructor(options: BfdServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** @throws CodedError BFD_SOCKET_TAKEN when someone answers there; a socket that nobody answers on is taken over */
  async start(): Promise<void> {
    const { path } = this.#options;
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
    await takeOver(path);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause) =>
        reject(new CodedError(BFD_SOCKET_TAKEN, `cannot listen on ${path}: ${cause.message}`, { object: path, cause })),
      );
      // The path is made inside listen: it never has other rights than these.
      const before = process.umask(SOCKET_UMASK);
      this.#server.listen(path, resolve);
      process.umask(before);
    });
  }

  /** Tells all clients. */
  tell(message: BfdMessage): void {
    for (const client of this.#clients) say(client, message);
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** A client that goes away changes nothing. */
  #accept(socket: Socket): void {
    const lines = new LineReader();
    this.#clients.add(socket);
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('close', () => this.#clients.delete(socket));
    socket.on('data', (chunk) => {
      try {
        for (const line of lines.push(String(chunk))) say(socket, this.#options.answer(line));
      } catch {
        socket.destroy(); // It sends a line without an end.
      }
    });
    say(socket, this.#options.greeting());
  }
}

function say(socket: Socket, message: BfdMessage): void {
  if (socket.writableLength > MAX_UNREAD) socket.destroy();
  else socket.write(`${JSON.stringify(message)}\n`);
}

async function takeOver(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (!there) return;
  const refuse = (why: string): CodedError => new CodedError(BFD_SOCKET_TAKEN, `${path} ${why}`, { object: path });
  if (!there.isSocket()) throw refuse('is not a socket');
  if (!(await isAbandoned(path))) throw refuse('is in use: another BFD process runs on this node');
  rmSync(path, { force: true });
}

/** Only a refused connection says that nobody listens. */
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
