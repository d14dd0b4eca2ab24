import { delay, systemClock } from '@isthmus/core';
import { l4Key } from '@isthmus/model';
import type { Lab } from '../lab.ts';
import type { NodePlace, PodPlace } from '../topology/plan.ts';
import type { TrafficReport } from '../traffic/flow.ts';
import type { StreamSpec } from '../traffic/stream.ts';
import { ECHO_PORT } from '../traffic/traffic-program.ts';
import { dropText } from '../traffic/verdict.ts';
import { waitForEpoch } from './encryption-view.ts';
import { allPairFlows, trafficWhile } from './flow-set.ts';
import { allNodes } from './pairs.ts';
import { expectUnread, type PhaseTraffic } from './rotation-phase.ts';
import { RigOverloaded, repeatVoid } from './void-phase.ts';

/** How long the load runs while nothing else happens. */
const CONTROL_MS = 20_000;
/** A stream that got rid of less than this part of its bytes was no load. */
const LEAST_RATE = 0.95;

/** What the topology says, over every two pods on different nodes and both families; and a stream from every node to every other one. */
export function meshLoad(lab: Lab): PhaseTraffic {
  const flows = allPairFlows(lab).filter(({ name }) => !name.startsWith('same-node'));
  const pps = Math.ceil(lab.plan.load.pps / flows.length);
  return { flows: flows.map((flow) => ({ ...flow, pps })), streams: nodeStreams(lab, allNodes(lab)) };
}

/** A stream from every one of these nodes to every other one, every second one over IPv6. */
export function nodeStreams(lab: Lab, nodes: readonly NodePlace[]): StreamSpec[] {
  const pairs = nodes.flatMap((from) => nodes.filter((to) => to !== from).map((to) => [from, to] as const));
  return pairs.map(([from, to], index) => stream(lab, firstPod(from), lastPod(to), index % 2 === 0 ? 'ipv4' : 'ipv6'));
}

/** All of it over one flow, from the first node's first pod to the last node's last one; and a stream either way. */
export function pairLoad(lab: Lab): PhaseTraffic {
  const nodes = allNodes(lab);
  const [from, to] = [firstPod(nodes[0]!), lastPod(nodes.at(-1)!)];
  const target = l4Key('UDP', lab.podAddresses(to).ipv4, ECHO_PORT);
  return {
    flows: [{ name: `${from.id} to ${to.id}`, from, to: [to], target, pps: lab.plan.load.pps }],
    streams: [stream(lab, from, to, 'ipv6'), stream(lab, to, from, 'ipv4')],
  };
}

function stream(lab: Lab, from: PodPlace, to: PodPlace, family: 'ipv4' | 'ipv6'): StreamSpec {
  const target = l4Key('TCP', lab.podAddresses(to)[family], ECHO_PORT);
  return { name: `${family} ${from.id} to ${to.id}`, from, to, target, kbps: lab.plan.load.streamKbps };
}

function firstPod({ pods }: NodePlace): PodPlace {
  return pods[0]!;
}

function lastPod({ pods }: NodePlace): PodPlace {
  return pods.at(-1)!;
}

/**
 * Runs a load while nothing happens, which must lose nothing, and then while each of `disturbances` in turn does its work: a phase of its own, which is run
 * again where it is void.
 * @param disturbances each answers in words what it did
 * @returns what was seen of all phases
 */
export async function unreadUnderLoad(lab: Lab, load: PhaseTraffic, ...disturbances: readonly (() => Promise<string>)[]): Promise<string> {
  const control = async (): Promise<string> => {
    await delay(systemClock, CONTROL_MS);
    return 'control';
  };
  const seen: string[] = [];
  for (const disturb of [control, ...disturbances]) seen.push(await phase(lab, load, disturb));
  return seen.join('. ');
}

function phase(lab: Lab, load: PhaseTraffic, disturb: () => Promise<string>): Promise<string> {
  return repeatVoid(
    () => phaseOnce(lab, load, disturb),
    (why) => console.error(`verify: void, once more: ${why}`),
  );
}

async function phaseOnce(lab: Lab, { flows, streams }: PhaseTraffic, disturb: () => Promise<string>): Promise<string> {
  await waitForEpoch(lab);
  const began = systemClock.now();
  let [done, seconds] = ['', 0];
  const work = async (): Promise<void> => {
    done = await disturb();
    seconds = (systemClock.now() - began) / 1000;
  };
  const report = await trafficWhile(lab, flows, work, { sniff: true, streams });
  const seen = expectUnread(report);
  expectLoad(report, lab.plan.load.streamKbps);
  const pps = flows.reduce((sum, flow) => sum + (flow.pps ?? 0), 0);
  return `${done}, ${seconds.toFixed(0)} s at ${pps} packets/s: ${seen}; ${dropText(report)}`;
}

/** Flows catch up with what they have to send. @throws RigOverloaded when a stream did not */
function expectLoad({ streams }: TrafficReport, kbps: number): void {
  const slow = streams.filter((each) => each.kbps < LEAST_RATE * kbps);
  if (slow.length === 0) return;
  throw new RigOverloaded(
    `${slow.map((each) => `${each.name} carried only ${each.kbps} kbit/s`).join('; ')}; ${slow.length} of ${streams.length}`,
  );
}
