import type { Lab } from '../lab.ts';
import { waitUntil } from '../machine/wait-until.ts';
import type { LiveCommand } from '../process/live-command.ts';
import type { Place } from '../topology/plan.ts';
import { trafficCommand } from './traffic-program.ts';

/** A flow of numbered packets that the server answers one by one. */
export interface FlowReport {
  readonly target: string;
  readonly sent: number;
  readonly answered: number;
  readonly lost: number;
  /** First and last number of each run of lost packets; the first runs only. */
  readonly lostRanges: readonly (readonly [number, number])[];
  readonly duplicates: number;
  readonly reordered: number;
  /** Longest time between two answers. */
  readonly longestGapMs: number;
  readonly errors: number;
  readonly lastError: string;
}

/** What a flow runs between. */
export interface FlowSpec {
  /** For people: "across nodes, IPv6". */
  readonly name: string;
  readonly from: Place;
  /** `UDP/10.1.0.5:8080` */
  readonly target: string;
}

const PACKETS_PER_S = 1000;
const START_TIMEOUT_MS = 5_000;

interface RunningFlow {
  readonly spec: FlowSpec;
  readonly command: LiveCommand;
}

/** Flows of a thousand packets a second each, side by side. */
export class Flows {
  readonly #running: readonly RunningFlow[];

  private constructor(running: readonly RunningFlow[]) {
    this.#running = running;
  }

  /** Starts flows and waits until every one has had its first answer. */
  static async start(lab: Lab, specs: readonly FlowSpec[]): Promise<Flows> {
    const running = specs.map((spec) => ({
      spec,
      command: lab.startCommand(spec.from, trafficCommand(['flow', '--pps', String(PACKETS_PER_S), spec.target])),
    }));
    const flows = new Flows(running);
    try {
      for (const { spec, command } of running)
        await waitUntil(() => command.lines().length > 0, {
          what: `the first answer to the flow ${spec.name} (${spec.from.id} to ${spec.target})`,
          timeoutMs: START_TIMEOUT_MS,
        });
    } catch (error) {
      flows.kill();
      throw error;
    }
    return flows;
  }

  /** Ends all flows and answers what came of them. */
  async end(): Promise<(FlowReport & { readonly name: string })[]> {
    return Promise.all(
      this.#running.map(async ({ spec, command }) => {
        const last = (await command.end()).at(-1) ?? '{}';
        return { name: spec.name, ...(JSON.parse(last) as FlowReport) };
      }),
    );
  }

  /** Ends all flows at once, without a report; those that have ended are left alone. */
  kill(): void {
    for (const { command } of this.#running) command.kill();
  }
}
