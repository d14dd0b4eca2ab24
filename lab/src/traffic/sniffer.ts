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
  /** Those of them that came bare, without a tunnel's headers around them, by the flow's id. */
  readonly bare: ReadonlyMap<string, number>;
  /** The packets of flows that could be read, by the cable: `<namespace>/<device at its far end>`. */
  readonly cables: ReadonlyMap<string, number>;
  /** Packets that the sniffer was too slow for: a count of zero says nothing when there are any. */
  readonly dropped: number;
}

const START_TIMEOUT_MS = 5_000;

/** A sniffer that runs in one namespace. */
interface Ear {
  readonly netns: string;
  readonly command: LiveCommand;
}

/** Listens in the router, or at the ToRs, at the ends of cables, where it sees what a node really puts on the wire. */
export class Sniffer {
  readonly #ears: readonly Ear[];

  private constructor(ears: readonly Ear[]) {
    this.#ears = ears;
  }

  /** Listens at the cables of these places, which are nodes or control planes; of all of them unless given. */
  static async start(lab: Lab, places: readonly Place[] = stations(lab.plan)): Promise<Sniffer> {
    const cables = places.flatMap((place) => cablesOf(lab.plan, place));
    const ends = allPlaces(lab.plan).filter(({ netns }) => cables.some((cable) => cable.netns === netns));
    const sniffer = new Sniffer(
      ends.map((end) => {
        const devices = cables.filter(({ netns }) => netns === end.netns).flatMap(({ device }) => ['--device', device]);
        return { netns: end.netns, command: lab.startCommand(end, trafficCommand(['sniff', ...devices])) };
      }),
    );
    try {
      const listening = (): boolean => sniffer.#ears.every(({ command }) => command.lines().length > 0);
      await waitUntil(listening, { what: 'the sniffer to listen', timeoutMs: START_TIMEOUT_MS });
    } catch (error) {
      sniffer.kill();
      throw error;
    }
    return sniffer;
  }

  async end(): Promise<SnifferReport> {
    return summed(await Promise.all(this.#ears.map(reportOf)));
  }

  kill(): void {
    for (const { command } of this.#ears) command.kill();
  }
}

interface Counted {
  readonly packets: number;
  readonly plaintext: number;
  readonly dropped: number;
  readonly flows: readonly { readonly id: string; readonly packets: number; readonly bare: number }[];
  readonly devices: readonly { readonly name: string; readonly plaintext: number }[];
}

async function reportOf({ netns, command }: Ear): Promise<SnifferReport> {
  const { flows, devices, ...counted } = JSON.parse((await command.end()).at(-1) ?? '{}') as Counted;
  return {
    ...counted,
    flows: new Map(flows.map(({ id, packets }) => [id, packets])),
    bare: new Map(flows.map(({ id, bare }) => [id, bare])),
    cables: new Map(devices.map(({ name, plaintext }) => [`${netns}/${name}`, plaintext])),
  };
}

/** What was seen at one ToR was not seen at another: each cable has one far end. */
function summed(reports: readonly SnifferReport[]): SnifferReport {
  const sum = (of: (report: SnifferReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  return {
    packets: sum((one) => one.packets),
    plaintext: sum((one) => one.plaintext),
    dropped: sum((one) => one.dropped),
    flows: added(reports.map(({ flows }) => flows)),
    bare: added(reports.map(({ bare }) => bare)),
    cables: added(reports.map(({ cables }) => cables)),
  };
}

function added(counts: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const total = new Map<string, number>();
  for (const count of counts) for (const [key, value] of count) total.set(key, (total.get(key) ?? 0) + value);
  return total;
}
