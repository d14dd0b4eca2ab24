import { randomInt } from 'node:crypto';
import type { Lab } from '../lab.ts';
import { runCommand } from '../machine/run-command.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { type Cable, cableOfDevice, cablesOf, rackAt } from '../network/cable.ts';
import { runBatch } from '../network/network.ts';
import { torRouteLines } from '../network/rack-script.ts';
import { type Addresses, type ControlPlace, type NodePlace, stationsOf } from '../topology/plan.ts';
import { defineFault, type Fault, type UndoSteps } from './fault.ts';

/** What a slow cable may send at once: little more than a packet. What does not fit waits for as long as this. */
const BURST_BYTES = 1600;
const QUEUE = '20s';
/** So fast that nothing waits. */
const FAST_KILOBITS = 10_000_000;
const DRAIN_TIMEOUT_MS = 10_000;
const MAX_PREFERENCE = 0xffff;
const EVERYTHING = ['protocol', 'all', 'u32', 'match', 'u32', '0', '0'];

type Station = ControlPlace | NodePlace;
type Direction = 'ingress' | 'egress';

/** The cables of a node or control plane are pulled out at the router or ToR. */
export function cut(id: string): Fault {
  return defineFault(`cut ${id}`, async (lab, undo) => {
    for (const cable of cablesOf(lab.plan, lab.place(id))) await pullOut(lab, undo, cable);
  });
}

/** One of the cables of a node in a rack is pulled out at the ToR: both ends see that the carrier is gone. */
export function cutLink(id: string, device: string): Fault {
  return defineFault(`cut-link ${id} ${device}`, (lab, undo) => pullOut(lab, undo, cableOfDevice(lab.plan, lab.place(id), device)));
}

/** Everything on one of the cables of a place vanishes, both ways, and neither end is told: the carrier stays. */
export function silenceLink(id: string, device: string): Fault {
  return defineFault(`silence-link ${id} ${device}`, async (lab, undo) => {
    const cable = cableOfDevice(lab.plan, lab.place(id), device);
    // It stays down: what is led into it is gone.
    const hole = await addDevice(cable, undo, 'hole');
    const pref = String(randomInt(1, MAX_PREFERENCE));
    const filters = (['ingress', 'egress'] as const).map((direction) => ['dev', cable.device, direction, 'pref', pref]);
    const run = (lines: readonly (readonly string[])[]): Promise<void> =>
      runBatch('tc', { netns: cable.netns, lines: lines.map((words) => words.join(' ')) });
    undo.add(() => run(filters.map((filter) => ['filter', 'delete', ...filter])));
    // Both in one go: between the two, one direction would still work.
    await run(filters.map((filter) => ['filter', 'add', ...filter, ...EVERYTHING, ...into(hole)]));
  });
}

/** What a filter does with packets that are led into a device. */
function into(device: string): string[] {
  return ['action', 'mirred', 'egress', 'redirect', 'dev', device];
}

async function pullOut(lab: Lab, undo: UndoSteps, cable: Cable): Promise<void> {
  undo.add(async () => {
    await ip(cable, ['link', 'set', cable.device, 'up']);
    // The kernel forgets routes when their last device goes down.
    const rack = rackAt(lab.plan, cable);
    if (rack) await runBatch('ip', { netns: rack.netns, lines: torRouteLines(lab.plan, rack) });
  });
  await ip(cable, ['link', 'set', cable.device, 'down']);
}

/**
 * Packets between two sides vanish in the router, both ways, and nobody is told. A side is a node, a control plane (`east/control`), or all of
 * a cluster (`east`).
 */
export function blackhole(one: string, other: string): Fault {
  return defineFault(`blackhole ${one} ${other}`, async (lab, undo) => {
    // They stay down: what is led into one is gone.
    const holes = new Map<string, string>();
    for (const [from, to] of pathsBetween(sideOf(lab, one), sideOf(lab, other)))
      for (const cable of cablesOf(lab.plan, from)) {
        const hole = holes.get(cable.netns) ?? (await addDevice(cable, undo, 'hole'));
        holes.set(cable.netns, hole);
        for (const family of ['ipv4', 'ipv6'] as const) await redirect(cable, undo, 'ingress', toAddress(to, family), hole);
      }
  });
}

/**
 * A cable carries only so many kilobits a second, either way, and what does not fit waits. Nothing is lost by it, neither when it begins nor
 * when it is taken back.
 */
export function slow(id: string, kilobits: number): Fault {
  return defineFault(`slow ${id} ${kilobits}`, async (lab, undo) => {
    for (const cable of cablesOf(lab.plan, lab.place(id)))
      for (const direction of ['ingress', 'egress'] as const) {
        const queue = await addDevice(cable, undo, 'slow');
        await limit(cable, queue, 'add', kilobits);
        await ip(cable, ['link', 'set', queue, 'up']);
        undo.add(() => drained(cable, queue));
        await redirect(cable, undo, direction, EVERYTHING, queue);
        undo.add(() => limit(cable, queue, 'change', FAST_KILOBITS));
      }
  });
}

/** Where a cable ends. */
type At = Pick<Cable, 'netns'>;

/** A device of the router that packets can be led through. Its number is any, so that faults of two processes do not meet. */
async function addDevice(at: At, undo: UndoSteps, kind: string): Promise<string> {
  const name = `${kind}${randomInt(MAX_PREFERENCE)}`;
  await ip(at, ['link', 'add', name, 'type', 'ifb']);
  undo.add(() => ip(at, ['link', 'delete', name]));
  return name;
}

/** Leads what matches, at one end of a cable, into a device. */
async function redirect(cable: Cable, undo: UndoSteps, direction: Direction, match: readonly string[], device: string): Promise<void> {
  const filter = ['dev', cable.device, direction, 'pref', String(randomInt(1, MAX_PREFERENCE))];
  await tc(cable, ['filter', 'add', ...filter, ...match, ...into(device)]);
  undo.add(() => tc(cable, ['filter', 'delete', ...filter]));
}

function limit(at: At, device: string, verb: 'add' | 'change', kilobits: number): Promise<void> {
  return tc(at, [
    'qdisc',
    verb,
    'dev',
    device,
    'root',
    'tbf',
    'rate',
    `${kilobits}kbit`,
    'burst',
    String(burst(kilobits)),
    'latency',
    QUEUE,
  ]);
}

/** A fast device must be allowed more at once, or its burst is what limits it. */
function burst(kilobits: number): number {
  return Math.max(BURST_BYTES, kilobits * 10);
}

async function drained({ netns }: At, device: string): Promise<void> {
  const command = ['tc', '-n', netns, '-json', '-s', 'qdisc', 'show', 'dev', device];
  const isEmpty = async (): Promise<boolean> =>
    (JSON.parse(await runCommand(command)) as { qlen: number }[]).every(({ qlen }) => qlen === 0);
  await waitUntil(isEmpty, { what: `${device} to have sent what waits in it`, timeoutMs: DRAIN_TIMEOUT_MS });
}

function toAddress({ addresses }: { addresses: Addresses }, family: keyof Addresses): string[] {
  const [protocol, selector, length] = family === 'ipv4' ? ['ip', 'ip', 32] : ['ipv6', 'ip6', 128];
  return ['protocol', String(protocol), 'u32', 'match', String(selector), 'dst', `${addresses[family]}/${length}`];
}

/** Every sender with every receiver of the other side. */
function pathsBetween(one: readonly Station[], other: readonly Station[]): [Station, Station][] {
  const oneWay = (from: readonly Station[], to: readonly Station[]) => from.flatMap((a) => to.map((b): [Station, Station] => [a, b]));
  return [...oneWay(one, other), ...oneWay(other, one)];
}

function sideOf(lab: Lab, id: string): Station[] {
  const cluster = lab.plan.clusters.find(({ name }) => name === id);
  if (cluster) return stationsOf(cluster);
  const place = lab.place(id);
  cablesOf(lab.plan, place); // only stations have one
  return [place as Station];
}

async function ip({ netns }: At, args: readonly string[]): Promise<void> {
  await runCommand(['ip', '-n', netns, ...args]);
}

async function tc({ netns }: At, args: readonly string[]): Promise<void> {
  await runCommand(['tc', '-n', netns, ...args]);
}
