import { connect, type Socket } from 'node:net';
import { Backoff, type Cancel, type Clock, type Random } from '@isthmus/core';
import type { BfdListener, BfdMonitor } from '../bfd/bfd-monitor.ts';
import { type BfdMessage, type BfdRequest, type BfdStatus, LineReader } from '../bfd/bfd-protocol.ts';
import type { BfdReport } from '../bfd/bfd-report.ts';
import type { BfdSessionConfig } from '../bfd/bfd-settings.ts';

const RETRY = { minMs: 50, maxMs: 5000 } as const;

/** What is told when it changes; all else, counters mostly, is for whoever asks. */
const NOTABLE = ['state', 'remoteState', 'lost', 'error'] as const;

/** What a client needs. */
export interface BfdClientOptions extends BfdListener {
  /** Path of the process's unix socket. */
  readonly path: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** The BFD process from the outside: connects to its unix socket, again and again. */
export class BfdClient implements BfdMonitor {
  readonly #options: BfdClientOptions;
  readonly #backoff: Backoff;
  readonly #reports = new Map<string, BfdReport>();
  #wanted: readonly BfdSessionConfig[] | undefined;
  #status: BfdStatus | undefined;
  #socket: Socket | undefined;
  #cancelRetry: Cancel | undefined;
  #connected = false;

  constructor(options: BfdClientOptions) {
    this.#options = options;
    this.#backoff = new Backoff(RETRY, options.random);
  }

  get connected(): boolean {
    return this.#connected;
  }

  start(): void {
    const lines = new LineReader();
    const socket = connect(this.#options.path);
    let why: Error | undefined;
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('error', (error) => (why = error));
    socket.on('data', (chunk) => {
      try {
        for (const line of lines.push(String(chunk))) this.#take(JSON.parse(line) as BfdMessage);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on('close', () => this.#closed(socket, why));
  }

  want(sessions: readonly BfdSessionConfig[]): void {
    this.#wanted = sessions;
    if (this.#connected) this.#say({ type: 'sessions', sessions });
  }

  reports(): ReadonlyMap<string, BfdReport> {
    return this.#reports;
  }

  status(): BfdStatus | undefined {
    return this.#status;
  }

  refresh(): void {
    if (this.#connected) this.#say({ type: 'status' });
  }

  stop(): void {
    this.#cancelRetry?.();
    const socket = this.#socket;
    this.#socket = undefined;
    this.#connected = false;
    socket?.destroy();
  }

  #say(request: BfdRequest): void {
    this.#socket?.write(`${JSON.stringify(request)}\n`);
  }

  #closed(socket: Socket, error: Error | undefined): void {
    if (this.#socket !== socket) return; // stopped
    const was = this.#connected;
    this.#connected = false;
    this.#cancelRetry = this.#options.clock.after(this.#backoff.next(), () => this.start());
    if (was || this.#backoff.attempt === 1) this.#options.onConnected?.(false, error);
  }

  #take(message: BfdMessage): void {
    if (message.type === 'status') this.#takeStatus(message);
    else if (message.type === 'state') this.#takeReport(message.session);
    else if (message.type === 'taken') for (const { key, error } of message.refused) this.#options.onRefused?.(key, error);
  }

  #takeStatus(status: BfdStatus): void {
    // What another instance knew is of no use: its sessions ended, whether they failed or not.
    if (this.#status?.instance !== status.instance) this.#reports.clear();
    this.#status = status;
    const listed = new Set(status.sessions.map(({ key }) => key));
    for (const key of this.#reports.keys()) if (!listed.has(key)) this.#reports.delete(key);
    if (!this.#connected) this.#greet();
    for (const report of status.sessions) this.#takeReport(report);
  }

  /** The first status says that this is the process, and lists what it has: only then may it be told to have something else. */
  #greet(): void {
    this.#connected = true;
    this.#backoff.reset();
    this.#options.onConnected?.(true);
    if (this.#wanted !== undefined) this.#say({ type: 'sessions', sessions: this.#wanted });
  }

  #takeReport(report: BfdReport): void {
    const before = this.#reports.get(report.key);
    this.#reports.set(report.key, report);
    if (before === undefined || NOTABLE.some((field) => before[field] !== report[field])) this.#options.onState(report);
  }
}
