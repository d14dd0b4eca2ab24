import { readFileSync } from 'node:fs';
import type { Lab } from '../lab.ts';
import { type Place, stations } from '../topology/plan.ts';
import { forbiddenFrames, isForbidden, kindsText } from './frame-kind.ts';
import { alwaysSniffs, attachSniffers, type NumberedCable, numberedCables, removeSniffers, snifferFolder } from './sniffer-links.ts';
import { addCounts, countsSince, type FlowCounts, type FrameCounts, PHASES, SnifferMaps } from './sniffer-maps.ts';
import { SNIFFER_ID } from './sniffer-process.ts';

/** What was on the wire. */
export interface SnifferReport {
  /** Frames that were looked at, as they left the place at the near end of a cable. */
  readonly packets: number;
  /** Those of them in which the packet of a flow could be read. */
  readonly plaintext: number;
  /** The same by the flow's id. */
  readonly flows: ReadonlyMap<string, number>;
  /** Those of them that came bare, without a tunnel's headers around them, by the flow's id. */
  readonly bare: ReadonlyMap<string, number>;
  /** The packets of flows that could be read, by the cable: `<namespace>/<device at its far end>`. */
  readonly cables: ReadonlyMap<string, number>;
  /** Frames that must not be on any cable, in either direction; none where nobody judges. */
  readonly forbidden: number;
  /** What was seen of which kind, in both directions, in words. */
  readonly kinds: { readonly forbidden: string; readonly allowed: string };
  /** Events that the programs had no room for: something was forbidden, and nobody can say what. */
  readonly lost: number;
  /** What some of the forbidden frames looked like. */
  readonly samples: readonly string[];
}

/** What was counted at one cable. */
interface CableCounts {
  readonly from: FrameCounts;
  readonly to: FrameCounts;
}

const MAX_SAMPLES = 3;

/**
 * What the sniffers see from one moment on. They are programs of the kernel at the far ends of cables, in the router or at the ToRs, where they see what is
 * really on the wire. Where nodes encrypt they are always there; elsewhere they come and go with this.
 */
export class Sniffer {
  readonly #lab: Lab;
  readonly #cables: readonly NumberedCable[];
  readonly #maps: SnifferMaps;
  readonly #before: readonly CableCounts[];
  readonly #told: number;

  private constructor(lab: Lab, cables: readonly NumberedCable[]) {
    this.#lab = lab;
    this.#cables = cables;
    this.#maps = SnifferMaps.pinned(snifferFolder(lab.plan));
    this.#maps.forgetFlows();
    this.#told = eventLines(lab).length;
    this.#before = cables.map((cable) => countsOf(this.#maps, cable));
  }

  /** Looks at the cables of these places, which are nodes or control planes; of all of them unless given. */
  static async start(lab: Lab, places: readonly Place[] = stations(lab.plan)): Promise<Sniffer> {
    const cables = numberedCables(lab.plan, places);
    if (!alwaysSniffs(lab.plan)) {
      removeSniffers(lab.plan); // of somebody who did not come to an end
      await attachSniffers(lab.plan, cables);
    }
    return new Sniffer(lab, cables);
  }

  /** What has been seen since. */
  end(): SnifferReport {
    const counts = this.#cables.map((cable, index): CableCounts => {
      const [now, before] = [countsOf(this.#maps, cable), this.#before[index]!];
      return { from: countsSince(now.from, before.from), to: countsSince(now.to, before.to) };
    });
    const flows = this.#maps.flows();
    const samples = eventLines(this.#lab).slice(this.#told).slice(-MAX_SAMPLES);
    this.close();
    return reportOf(this.#cables, counts, flows, samples);
  }

  /** Looks no more, without a report; twice is fine. */
  close(): void {
    if (!alwaysSniffs(this.#lab.plan)) removeSniffers(this.#lab.plan);
  }
}

function countsOf(maps: SnifferMaps, { number }: NumberedCable): CableCounts {
  const both = (direction: 'from' | 'to'): FrameCounts => addCounts(PHASES.map((phase) => maps.counts(number, direction, phase)));
  return { from: both('from'), to: both('to') };
}

function reportOf(
  cables: readonly NumberedCable[],
  counts: readonly CableCounts[],
  flows: ReadonlyMap<string, FlowCounts>,
  samples: readonly string[],
): SnifferReport {
  const from = addCounts(counts.map((each) => each.from));
  const { kinds, lost } = addCounts(counts.flatMap((each) => [each.from, each.to]));
  return {
    packets: from.frames,
    plaintext: from.readable,
    flows: new Map([...flows].map(([id, { packets }]) => [id, packets])),
    bare: new Map([...flows].map(([id, { bare }]) => [id, bare])),
    cables: new Map(cables.map(({ netns, device }, index) => [`${netns}/${device}`, counts[index]!.from.readable])),
    forbidden: forbiddenFrames(kinds),
    kinds: { forbidden: kindsText(kinds, isForbidden), allowed: kindsText(kinds, (kind) => !isForbidden(kind)) },
    lost,
    samples,
  };
}

/** What the lab's process has written down. */
function eventLines(lab: Lab): string[] {
  if (!alwaysSniffs(lab.plan)) return [];
  return readFileSync(lab.processes.get(SNIFFER_ID).log, 'utf8').trimEnd().split('\n');
}
