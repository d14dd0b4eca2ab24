import { BfdClient, type BfdReport, type BfdSessionConfig } from '@isthmus/bgp';
import { CodedError, systemClock, systemRandom } from '@isthmus/core';
import { repositoryFile } from '@isthmus/lab';
import { BENCH_CHILD } from '../bench.errors.ts';
import { ChildProgram } from './child-program.ts';

/** What is asked of every session: three times 50 ms. */
const TIMING = { desiredMinTxMs: 50, requiredMinRxMs: 50, multiplier: 3 } as const;
const DETECTION_MS = 150;

/** A way between the two ends. */
export interface BfdWay {
  readonly key: string;
  readonly local: string;
  readonly remote: string;
}

/** The BFD process in a namespace, as a node runs it, and a client that wants sessions of it. */
export class BfdEnd {
  readonly #process: ChildProgram;
  readonly #client: BfdClient;
  readonly #sessions: readonly BfdSessionConfig[];

  /** @param folder where its socket is to be */
  constructor(netns: string, folder: string, device: string, ways: readonly BfdWay[], onState: (report: BfdReport) => void) {
    const path = `${folder}/${netns}.sock`;
    this.#process = new ChildProgram(['ip', 'netns', 'exec', netns, repositoryFile('scripts/run-app'), 'bfd', `--bfd-socket-path=${path}`]);
    this.#client = new BfdClient({ path, clock: systemClock, random: systemRandom, onState });
    this.#sessions = ways.map((way) => ({ ...way, interface: device, multihop: false, ...TIMING }));
    this.#client.start();
  }

  /** Has it want its sessions. @throws CodedError BENCH_CHILD when it does not come before ordinary processes */
  async begin(): Promise<void> {
    await this.#process.until('the socket', () => this.#client.connected);
    const { fifo, fifoError = '' } = this.#client.status() ?? {};
    if (fifo !== true) throw new CodedError(BENCH_CHILD, `the BFD process is an ordinary one: ${fifoError}`);
    this.#client.want(this.#sessions);
  }

  /** Waits until all sessions are up and watch with their full speed. */
  up(): Promise<void> {
    return this.#process.until('all sessions', () => {
      this.#client.refresh();
      const reports = [...this.#client.reports().values()];
      return (
        reports.length === this.#sessions.length &&
        reports.every((one) => one.state === 'up' && one.remoteState === 'up' && one.detectionMs === DETECTION_MS)
      );
    });
  }

  async stop(): Promise<void> {
    this.#client.stop();
    await this.#process.stop();
  }
}
