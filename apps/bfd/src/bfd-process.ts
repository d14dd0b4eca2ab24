import {
  type BfdMessage,
  type BfdRefusal,
  type BfdReport,
  type BfdRequest,
  type BfdSessionConfig,
  BfdSessions,
  type BfdTransport,
  type RealTime,
  readSessionConfig,
} from '@isthmus/bgp';
import { type Clock, CodedError, LOG, type Log, messageOf, type Random } from '@isthmus/core';
import { BFD_REQUEST } from './bfd.errors.ts';
import { BfdServer } from './bfd-server.ts';

/** What the process is made of. */
export interface BfdProcessOptions {
  readonly socketPath: string;
  readonly clock: Clock;
  /** Not to be guessed: discriminators and ports come from it. */
  readonly random: Random;
  readonly transport: BfdTransport;
  readonly realTime: RealTime;
  readonly log: Log;
}

/** The sessions of a node and the socket by which they are wanted. What was wanted stays wanted until someone wants something else. */
export class BfdProcess {
  readonly #options: BfdProcessOptions;
  readonly #instance: string;
  readonly #sessions: BfdSessions;
  readonly #server: BfdServer;
  #wanted = new Map<string, BfdSessionConfig>();

  constructor(options: BfdProcessOptions) {
    this.#options = options;
    this.#instance = Math.floor(options.random() * Number.MAX_SAFE_INTEGER).toString(36);
    this.#sessions = new BfdSessions({ ...options, onState: (report) => this.#tellState(report) });
    this.#server = new BfdServer({
      path: options.socketPath,
      greeting: () => this.#status(),
      answer: (line) => this.#answer(line),
    });
  }

  /** @throws CodedError BFD_SOCKET_TAKEN */
  start(): Promise<void> {
    return this.#server.start();
  }

  /** Tells all peers that the end is wanted, so that none of them takes it for a failure. */
  async stop(): Promise<void> {
    await this.#server.stop();
    await this.#sessions.stop();
  }

  #tellState(report: BfdReport): void {
    const { key, state, remoteState, diagnostic, lost, error } = report;
    const text = error ?? `BFD session is ${state}, its peer is ${remoteState}`;
    this.#options.log[lost || error !== undefined ? 'warn' : 'info']({ [LOG.key]: key, state, remoteState, diagnostic }, text);
    this.#server.tell({ type: 'state', session: report });
  }

  #status(): BfdMessage {
    const { fifo, error } = this.#options.realTime;
    return {
      type: 'status',
      instance: this.#instance,
      sessions: this.#sessions.reports(),
      dropped: this.#sessions.dropped,
      fifo,
      ...(error === undefined ? {} : { fifoError: error }),
    };
  }

  #answer(line: string): BfdMessage {
    try {
      const request = readRequest(line);
      return request.type === 'status' ? this.#status() : { type: 'taken', refused: this.#want(request.sessions) };
    } catch (error) {
      const code = error instanceof CodedError ? error.code : BFD_REQUEST.code;
      this.#options.log.error({ [LOG.error]: error }, 'a request cannot be answered');
      return { type: 'error', code, message: messageOf(error) };
    }
  }

  /** A row that cannot be read costs no other session, nor its own when there is one. */
  #want(rows: readonly unknown[]): BfdRefusal[] {
    const refused: BfdRefusal[] = [];
    const next = new Map<string, BfdSessionConfig>();
    for (const row of rows) {
      try {
        const config = readSessionConfig(row);
        next.set(config.key, config);
      } catch (error) {
        const key = String((row as { key?: unknown } | null)?.key ?? '');
        const old = this.#wanted.get(key);
        if (old !== undefined) next.set(key, old);
        refused.push({ key, error: messageOf(error) });
      }
    }
    this.#wanted = next;
    const twice = this.#sessions.set([...next.values()]);
    return [...refused, ...twice.map((key) => ({ key, error: 'another session goes the same way' }))];
  }
}

/** @throws CodedError BFD_REQUEST */
function readRequest(line: string): BfdRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new CodedError(BFD_REQUEST, 'a line is no JSON', { cause });
  }
  const { type, sessions } = (value ?? {}) as { type?: unknown; sessions?: unknown };
  if (type === 'status' || (type === 'sessions' && Array.isArray(sessions))) return value as BfdRequest;
  throw new CodedError(BFD_REQUEST, `a request of type ${JSON.stringify(type)} is none, or lacks its sessions`);
}
