import { fileURLToPath } from 'node:url';
import { BfdClient, type BfdReport, type BfdSessionConfig } from '@isthmus/bgp';
import { systemClock, systemRandom } from '@isthmus/core';
import { DaemonProcess, until } from './daemon-process.ts';
import { OURS, THEIRS } from './link.ts';

const MAIN = fileURLToPath(new URL('../../apps/bfd/src/main.ts', import.meta.url));

/** What the tests ask of sessions: 150 ms of silence. */
export const FAST = { desiredMinTxMs: 50, requiredMinRxMs: 50, multiplier: 3 } as const;

/** A single hop over the link, on a family's addresses. */
export function singleHop(family: 'ipv4' | 'ipv6', more: Partial<BfdSessionConfig> = {}): BfdSessionConfig {
  return { key: family, local: OURS[family], remote: THEIRS[family], interface: 'bgp0', multihop: false, ...FAST, ...more };
}

/** A report with the time when it came, in milliseconds of `performance.now`. */
export interface HeardReport extends BfdReport {
  readonly at: number;
}

/** The BFD process in a namespace, and a client of it in this process. */
export class OurBfd {
  readonly socket: string;
  readonly heard: HeardReport[] = [];
  readonly connections: boolean[] = [];
  /** Why sessions were refused. */
  readonly refused: string[] = [];
  client: BfdClient;
  readonly #process: DaemonProcess;

  constructor(netns: string, socket?: string) {
    this.#process = new DaemonProcess(netns);
    this.socket = socket ?? `${this.#process.folder}/bfd.sock`;
    this.client = this.#newClient();
  }

  /** Starts the process, and has the client connect; again after {@link end} as well. */
  async start(): Promise<void> {
    this.run();
    this.client.start();
    await this.connected();
  }

  /** The process alone. */
  run(): void {
    const words = ['--conditions=isthmus:source', '--disable-warning=ExperimentalWarning', MAIN, `--bfd-socket-path=${this.socket}`];
    this.#process.start(process.execPath, words);
  }

  connected(): Promise<unknown> {
    return until(
      `the connection to the BFD process (${this.log})`,
      () => this.client.connected,
      (yes) => yes,
    );
  }

  /** Another client, as after a restart of the agent. */
  async anotherClient(): Promise<void> {
    this.client.stop();
    this.client = this.#newClient();
    this.client.start();
    await this.connected();
  }

  get log(): string {
    return this.#process.log;
  }

  /** What is known of a session. */
  report(key: string): BfdReport | undefined {
    return this.client.reports().get(key);
  }

  /** Waits until both ends are up. */
  up(key: string): Promise<unknown> {
    const state = (): string => `${this.report(key)?.state} ${this.report(key)?.remoteState} ${this.report(key)?.error ?? ''}`;
    return until(`the session ${key} (${this.log})`, state, (both) => both === 'up up ');
  }

  /** Waits for a report that came later than an instant, and is right. */
  async heardSince(at: number, key: string, right: (report: BfdReport) => boolean): Promise<HeardReport> {
    const find = (): HeardReport | undefined => this.heard.find((one) => one.at >= at && one.key === key && right(one));
    return (await until(`a report of ${key}`, find, (found) => found !== undefined)) as HeardReport;
  }

  /** A report with fresh counters. */
  fresh(key: string, right: (report: BfdReport) => boolean): Promise<BfdReport | undefined> {
    const ask = (): BfdReport | undefined => {
      this.client.refresh();
      return this.report(key);
    };
    return until(`counters of ${key}`, ask, (report) => report !== undefined && right(report));
  }

  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.#process.end(signal);
  }

  pause(stopped: boolean): void {
    this.#process.pause(stopped);
  }

  ended(): Promise<number | null> {
    return this.#process.ended();
  }

  async stop(): Promise<void> {
    this.client.stop();
    await this.#process.stop();
  }

  #newClient(): BfdClient {
    return new BfdClient({
      path: this.socket,
      clock: systemClock,
      random: systemRandom,
      onState: (report) => this.heard.push({ ...report, at: performance.now() }),
      onConnected: (connected) => this.connections.push(connected),
      onRefused: (_, error) => this.refused.push(error),
    });
  }
}
