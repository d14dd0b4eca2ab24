import type { Lab } from '../lab.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { cablesOf } from '../network/cable.ts';
import type { LiveCommand } from '../process/live-command.ts';
import { allPlaces, type Place, stations } from '../topology/plan.ts';
import { trafficCommand } from './traffic-program.ts';

/** What could be read on the wire. */
export interface SnifferReport {
  /** Packets that were looked at: each once, as it left the place at the near end of its cable. */
  readonly packets: number;
  /** Those of them in which the packet of a flow could be read. */
  readonly plaintext: number;
  /** The same by the flow's id. */
  readonly flows: ReadonlyMap<string, number>;
  /** Packets that the sniffer was too slow for: a count of zero says nothing when there are any. */
  readonly dropped: number;
}

const START_TIMEOUT_MS = 5_000;

/** Listens in the router, or at the ToRs, at the ends of cables, where it sees what a node really puts on the wire. */
export class Sniffer {
  readonly #commands: readonly LiveCommand[];

  private constructor(commands: readonly LiveCommand[]) {
    this.#commands = commands;
  }

  /** Listens at the cables of these places, which are nodes or control planes; of all of them unless given. */
  static async start(lab: Lab, places: readonly Place[] = stations(lab.plan)): Promise<Sniffer> {
    const cables = places.flatMap((place) => cablesOf(lab.plan, place));
    const ends = allPlaces(lab.plan).filter(({ netns }) => cables.some((cable) => cable.netns === netns));
    const sniffer = new Sniffer(
      ends.map((end) => {
        const devices = cables.filter(({ netns }) => netns === end.netns).flatMap(({ device }) => ['--device', device]);
        return lab.startCommand(end, trafficCommand(['sniff', ...devices]));
      }),
    );
    try {
      const listening = (): boolean => sniffer.#commands.every((command) => command.lines().length > 0);
      await waitUntil(listening, { what: 'the sniffer to listen', timeoutMs: START_TIMEOUT_MS });
    } catch (error) {
      sniffer.kill();
      throw error;
    }
    return sniffer;
  }

  async end(): Promise<SnifferReport> {
    return summed(await Promise.all(this.#commands.map(reportOf)));
  }

  kill(): void {
    for (const command of this.#commands) command.kill();
  }
}

async function reportOf(command: LiveCommand): Promise<SnifferReport> {
  const last = (await command.end()).at(-1) ?? '{}';
  const { flows, ...counted } = JSON.parse(last) as Omit<SnifferReport, 'flows'> & { flows: { id: string; packets: number }[] };
  return { ...counted, flows: new Map(flows.map(({ id, packets }) => [id, packets])) };
}

/** What was seen at one ToR was not seen at another: each cable has one far end. */
function summed(reports: readonly SnifferReport[]): SnifferReport {
  const flows = new Map<string, number>();
  for (const report of reports) for (const [id, packets] of report.flows) flows.set(id, (flows.get(id) ?? 0) + packets);
  const sum = (of: (report: SnifferReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  return { packets: sum((one) => one.packets), plaintext: sum((one) => one.plaintext), flows, dropped: sum((one) => one.dropped) };
}
