import type { Lab } from '../lab.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { cableOf } from '../network/network-script.ts';
import type { LiveCommand } from '../process/live-command.ts';
import { type Place, stations } from '../topology/plan.ts';
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

/** Listens in the router at the ends of cables, where it sees what a node really puts on the wire. */
export class Sniffer {
  readonly #command: LiveCommand;

  private constructor(command: LiveCommand) {
    this.#command = command;
  }

  /** Listens at the cables of these places, which are nodes or control planes; of all of them unless given. */
  static async start(lab: Lab, places: readonly Place[] = stations(lab.plan)): Promise<Sniffer> {
    const devices = places.flatMap((place) => ['--device', cableOf(lab.plan, place)]);
    const sniffer = new Sniffer(lab.startCommand(lab.plan.router, trafficCommand(['sniff', ...devices])));
    try {
      await waitUntil(() => sniffer.#command.lines().length > 0, { what: 'the sniffer to listen', timeoutMs: START_TIMEOUT_MS });
    } catch (error) {
      sniffer.kill();
      throw error;
    }
    return sniffer;
  }

  async end(): Promise<SnifferReport> {
    const last = (await this.#command.end()).at(-1) ?? '{}';
    const { flows, ...counted } = JSON.parse(last) as Omit<SnifferReport, 'flows'> & { flows: { id: string; packets: number }[] };
    return { ...counted, flows: new Map(flows.map(({ id, packets }) => [id, packets])) };
  }

  kill(): void {
    this.#command.kill();
  }
}
