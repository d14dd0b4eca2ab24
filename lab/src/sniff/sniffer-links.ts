import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@isthmus/core';
import { attachEgress, attachIngress, removePin, withNetns } from '@isthmus/datapath';
import { LAB_TOPOLOGY } from '../lab.errors.ts';
import { runCommand } from '../machine/run-command.ts';
import { type Cable, cablesOf } from '../network/cable.ts';
import { encrypts } from '../node/wireguard-toolchain.ts';
import { type LabPlan, type Place, stations } from '../topology/plan.ts';
import { sniffRules } from './sniff-rules.ts';
import { loadSniffer } from './sniffer-object.ts';

/** A cable and its number: the place of its counters. */
export interface NumberedCable extends Cable {
  readonly number: number;
  /** For people: the place that it leads to, and its far end. */
  readonly name: string;
}

/** That there are counters for (MAX_COUNTS in bpf/sniffer/sniffer.bpf.c): what is not counted would pass for clean. */
const MAX_CABLES = 64;

/** Where the sniffers' maps and links are pinned. */
export function snifferFolder(plan: LabPlan): string {
  return join(plan.paths.bpf, 'sniffer');
}

/**
 * Whether the sniffers listen all the time, and judge what they see: where all nodes encrypt, unless the topology is against it. Elsewhere they come when they
 * are wanted, and count.
 */
export function alwaysSniffs({ clusters, sniffers }: LabPlan): boolean {
  return sniffers && clusters.every(({ nodes }) => nodes.every(encrypts));
}

/** The cables of these places; of all that have any unless given. */
export function numberedCables(plan: LabPlan, places: readonly Place[] = stations(plan)): NumberedCable[] {
  const wanted = new Set(places.map(({ id }) => id));
  const all = stations(plan).flatMap((place) => cablesOf(plan, place).map((cable) => ({ place, cable })));
  return all
    .map(({ place, cable }, number) => ({ ...cable, number, name: `${place.id} (${cable.device})`, place }))
    .filter(({ place }) => wanted.has(place.id))
    .map(({ place: _, ...cable }) => cable);
}

/**
 * Puts the programs on the far ends of cables, in the router or at the ToRs, in both directions: there they see what is on the wire, whatever the node's
 * own programs did to have it there. They come before everything else that is attached there. Links are pinned: they stay when this process ends.
 * @throws CodedError LAB_TOPOLOGY when there are too many cables
 */
export async function attachSniffers(plan: LabPlan, cables: readonly NumberedCable[]): Promise<void> {
  if (cables.some(({ number }) => number >= MAX_CABLES))
    throw new CodedError(LAB_TOPOLOGY, `the sniffers look at ${MAX_CABLES} cables at most`, { object: plan.name });
  const pinFolder = snifferFolder(plan);
  mkdirSync(pinFolder, { recursive: true, mode: 0o700 });
  for (const cable of cables) {
    const ifindex = await ifindexOf(cable);
    const rules = alwaysSniffs(plan) ? sniffRules(plan) : undefined;
    const object = loadSniffer({ cable: cable.number, rules, pinFolder });
    try {
      const pin = (direction: string): string => join(pinFolder, `link_${cable.number}_${direction}`);
      withNetns(`/run/netns/${cable.netns}`, () => {
        attachIngress({ programFd: object.program('sniff_from_station'), ifindex, pin: pin('from') });
        attachEgress({ programFd: object.program('sniff_to_station'), ifindex, pin: pin('to') });
      });
    } finally {
      object.close();
    }
  }
}

/** Takes all of them away, and what they counted. Nothing there is fine. */
export function removeSniffers(plan: LabPlan): void {
  const folder = snifferFolder(plan);
  if (!existsSync(folder)) return;
  for (const pin of readdirSync(folder)) removePin(join(folder, pin));
}

async function ifindexOf({ netns, device }: Cable): Promise<number> {
  const [link] = JSON.parse(await runCommand(['ip', '-n', netns, '-json', 'link', 'show', 'dev', device])) as { ifindex: number }[];
  return link?.ifindex ?? 0;
}
