import { randomBytes } from 'node:crypto';
import type { Lab } from '../lab.ts';
import { waitUntil } from '../machine/wait-until.ts';
import type { LiveCommand } from '../process/live-command.ts';
import type { Place } from '../topology/plan.ts';
import { trafficCommand } from './traffic-program.ts';

/** What a stream runs between. */
export interface StreamSpec {
  /** For people. */
  readonly name: string;
  readonly from: Place;
  /** `TCP/10.1.0.5:8080` */
  readonly target: string;
  /** Who has the address. */
  readonly to: Place;
  /** Kilobits a second. */
  readonly kbps: number;
}

/** What came of one TCP connection that carried bytes at a steady rate. */
export interface StreamReport {
  readonly name: string;
  /** Stands in it every 32 bytes: 16 hexadecimal digits. */
  readonly id: string;
  readonly target: string;
  readonly sent: number;
  readonly arrived: number;
  /** Whether the server got all of it, byte by byte. */
  readonly isWhole: boolean;
  /** Whether the place that it is meant for got it. */
  readonly isMeant: boolean;
  /** Kilobits a second, as the sender got rid of them. */
  readonly kbps: number;
  /** Longest time in which the server got nothing. */
  readonly longestStallMs: number;
  /** Segments that were sent again. */
  readonly retransmits: number;
  /** `ECONNRESET` and so on; empty when there was none. */
  readonly error: string;
}

const START_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 4_000;
const ID_BYTES = 8;

/** Streams, side by side. */
export class Streams {
  readonly #running: readonly { readonly spec: StreamSpec; readonly command: LiveCommand }[];

  private constructor(lab: Lab, specs: readonly StreamSpec[]) {
    this.#running = specs.map((spec) => ({ spec, command: lab.startCommand(spec.from, streamCommand(spec)) }));
  }

  /** Starts streams and waits until every one is connected. */
  static async start(lab: Lab, specs: readonly StreamSpec[]): Promise<Streams> {
    const streams = new Streams(lab, specs);
    try {
      for (const { spec, command } of streams.#running)
        await waitUntil(() => command.lines().length > 0, { what: `the stream ${spec.name} to be connected`, timeoutMs: START_TIMEOUT_MS });
    } catch (error) {
      streams.kill();
      throw error;
    }
    return streams;
  }

  /** Ends all streams and answers what came of them. */
  end(): Promise<StreamReport[]> {
    return Promise.all(
      this.#running.map(async ({ spec, command }) => {
        const { server, ...counted } = JSON.parse((await command.end()).at(-1) ?? '{}') as Counted;
        return { name: spec.name, ...counted, isMeant: server === spec.to.id };
      }),
    );
  }

  /** Ends all streams at once, without a report. */
  kill(): void {
    for (const { command } of this.#running) command.kill();
  }
}

interface Counted extends Omit<StreamReport, 'name' | 'isMeant'> {
  /** Id of the place that said what arrived. */
  readonly server: string;
}

function streamCommand({ target, kbps }: StreamSpec): string[] {
  const id = randomBytes(ID_BYTES).toString('hex');
  return trafficCommand(['stream', '--kbps', String(kbps), '--timeout-ms', String(CONNECT_TIMEOUT_MS), '--id', id, target]);
}
