import { randomBytes } from 'node:crypto';
import type { Lab } from '../lab.ts';
import { waitUntil } from '../machine/wait-until.ts';
import type { LiveCommand } from '../process/live-command.ts';
import { Sniffer, type SnifferReport } from '../sniff/sniffer.ts';
import type { Place } from '../topology/plan.ts';
import { RigCounters, type RigReport } from './rig-counters.ts';
import { type StreamReport, type StreamSpec, Streams } from './stream.ts';
import { trafficCommand } from './traffic-program.ts';

/** What a flow runs between. */
export interface FlowSpec {
  /** For people: "across nodes, IPv6". */
  readonly name: string;
  readonly from: Place;
  /** `UDP/10.1.0.5:8080` */
  readonly target: string;
  /** Who may answer: the place that has the address, or every place that serves the service. An answer of any other is misdelivered. */
  readonly to: readonly Place[];
  /** Packets a second; {@link DEFAULT_PPS} unless given. */
  readonly pps?: number;
}

/** What came of a flow of numbered packets that the server answers one by one. */
export interface FlowReport {
  readonly name: string;
  /** Stands in each of its packets: 16 hexadecimal digits. */
  readonly id: string;
  readonly target: string;
  readonly sent: number;
  readonly answered: number;
  readonly lost: number;
  /** First and last number of each run of lost packets; the first runs only. */
  readonly lostRanges: readonly (readonly [number, number])[];
  readonly duplicates: number;
  readonly reordered: number;
  /** Packets that came to this flow's socket and are not its own, or were answered by a place that it is not meant for. */
  readonly misdelivered: number;
  /** The last of those, in words. */
  readonly lastStray: string;
  /** Answers for which the flow's own socket had no room. */
  readonly queueDrops: number;
  /** Longest time between two answers, or from the last one to the end. */
  readonly longestGapMs: number;
  readonly errors: number;
  readonly lastError: string;
  /** Its packets that could be read on the links that were looked at; undefined when nobody looked. */
  readonly plaintext?: number;
  /** Those of them that came without a tunnel's headers around them. */
  readonly bare?: number;
}

/** What came of all flows and streams, and of whom they ran through. */
export interface TrafficReport {
  readonly flows: readonly FlowReport[];
  readonly streams: readonly StreamReport[];
  /** What the lab's own parts did to packets, and what its servers got that was not theirs. */
  readonly rig: RigReport;
  readonly sniffer?: SnifferReport;
}

/** How to run flows. */
export interface FlowOptions {
  /** Look at the cables of these places for packets that can be read; `true`: at those of all nodes and control planes. */
  readonly sniff?: boolean | readonly Place[];
  /** TCP connections that carry bytes beside them. */
  readonly streams?: readonly StreamSpec[];
}

/** The rate of a flow that says nothing else. */
export const DEFAULT_PPS = 1000;
const START_TIMEOUT_MS = 5_000;
const ID_BYTES = 8;

interface RunningFlow {
  readonly spec: FlowSpec;
  readonly command: LiveCommand;
}

/** Flows of numbered packets, side by side: the traffic oracle. */
export class Flows {
  readonly #running: readonly RunningFlow[];
  readonly #rig: RigCounters;
  readonly #sniffer: Sniffer | undefined;
  #streams: Streams | undefined;

  private constructor(running: readonly RunningFlow[], rig: RigCounters, sniffer: Sniffer | undefined) {
    this.#running = running;
    this.#rig = rig;
    this.#sniffer = sniffer;
  }

  /** Starts flows and waits until every one has had its first answer, and every stream beside them is connected. */
  static async start(lab: Lab, specs: readonly FlowSpec[], { sniff = false, streams = [] }: FlowOptions = {}): Promise<Flows> {
    const rig = await RigCounters.start(lab);
    const sniffer = sniff === false ? undefined : await Sniffer.start(lab, sniff === true ? undefined : sniff);
    const flows = new Flows(
      specs.map((spec) => ({ spec, command: lab.startCommand(spec.from, flowCommand(spec)) })),
      rig,
      sniffer,
    );
    try {
      for (const { spec, command } of flows.#running)
        await waitUntil(() => command.lines().length > 0, {
          what: `the first answer to the flow ${spec.name} (${spec.from.id} to ${spec.target})`,
          timeoutMs: START_TIMEOUT_MS,
        });
      flows.#streams = await Streams.start(lab, streams);
    } catch (error) {
      flows.kill();
      throw error;
    }
    return flows;
  }

  /** Ends all flows and answers what came of them. */
  async end(): Promise<TrafficReport> {
    const [ended, streams = []] = await Promise.all([Promise.all(this.#running.map(reportOf)), this.#streams?.end()]);
    const sniffer = this.#sniffer?.end();
    const flows = ended.map((flow) => (sniffer ? withSeen(flow, sniffer) : flow));
    return { flows, streams, rig: await this.#rig.read(), ...(sniffer ? { sniffer } : {}) };
  }

  /** Ends all flows at once, without a report; those that have ended are left alone. */
  kill(): void {
    for (const { command } of this.#running) command.kill();
    this.#streams?.kill();
    this.#sniffer?.close();
  }
}

function withSeen(flow: FlowReport, { flows, bare }: SnifferReport): FlowReport {
  return { ...flow, plaintext: flows.get(flow.id) ?? 0, bare: bare.get(flow.id) ?? 0 };
}

function flowCommand({ target, to, pps = DEFAULT_PPS }: FlowSpec): string[] {
  const id = randomBytes(ID_BYTES).toString('hex');
  const places = to.flatMap((place) => ['--place', place.id]);
  return trafficCommand(['flow', '--pps', String(pps), '--id', id, ...places, target]);
}

async function reportOf({ spec, command }: RunningFlow): Promise<FlowReport> {
  const last = (await command.end()).at(-1) ?? '{}';
  return { name: spec.name, ...(JSON.parse(last) as Omit<FlowReport, 'name'>) };
}
