import { randomInt } from 'node:crypto';
import type { Lab } from '../lab.ts';
import { runCommand } from '../machine/run-command.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { cableOf } from '../network/network-script.ts';
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

/** The cable of a node or control plane is pulled out at the router. */
export function cut(id: string): Fault {
  return defineFault(`cut ${id}`, async (lab, undo) => {
    const cable = cableOf(lab.plan, lab.place(id));
    undo.add(() => ip(lab, ['link', 'set', cable, 'up']));
    await ip(lab, ['link', 'set', cable, 'down']);
  });
}

/**
 * Packets between two sides vanish in the router, both ways, and nobody is told. A side is a node, a control plane (`east/control`), or all of
 * a cluster (`east`).
 */
export function blackhole(one: string, other: string): Fault {
  return defineFault(`blackhole ${one} ${other}`, async (lab, undo) => {
    // It stays down: what is led into it is gone.
    const hole = await addDevice(lab, undo, 'hole');
    for (const [from, to] of pathsBetween(sideOf(lab, one), sideOf(lab, other)))
      for (const family of ['ipv4', 'ipv6'] as const)
        await redirect(lab, undo, cableOf(lab.plan, from), 'ingress', toAddress(to, family), hole);
  });
}

/**
 * A cable carries only so many kilobits a second, either way, and what does not fit waits. Nothing is lost by it, neither when it begins nor
 * when it is taken back.
 */
export function slow(id: string, kilobits: number): Fault {
  return defineFault(`slow ${id} ${kilobits}`, async (lab, undo) => {
    const cable = cableOf(lab.plan, lab.place(id));
    for (const direction of ['ingress', 'egress'] as const) {
      const queue = await addDevice(lab, undo, 'slow');
      await limit(lab, queue, 'add', kilobits);
      await ip(lab, ['link', 'set', queue, 'up']);
      undo.add(() => drained(lab, queue));
      await redirect(lab, undo, cable, direction, EVERYTHING, queue);
      undo.add(() => limit(lab, queue, 'change', FAST_KILOBITS));
    }
  });
}

/** A device of the router that packets can be led through. Its number is any, so that faults of two processes do not meet. */
async function addDevice(lab: Lab, undo: UndoSteps, kind: string): Promise<string> {
  const name = `${kind}${randomInt(MAX_PREFERENCE)}`;
  await ip(lab, ['link', 'add', name, 'type', 'ifb']);
  undo.add(() => ip(lab, ['link', 'delete', name]));
  return name;
}

/** Leads what matches, at one end of a cable, into a device. */
async function redirect(
  lab: Lab,
  undo: UndoSteps,
  cable: string,
  direction: Direction,
  match: readonly string[],
  device: string,
): Promise<void> {
  const filter = ['dev', cable, direction, 'pref', String(randomInt(1, MAX_PREFERENCE))];
  await tc(lab, ['filter', 'add', ...filter, ...match, 'action', 'mirred', 'egress', 'redirect', 'dev', device]);
  undo.add(() => tc(lab, ['filter', 'delete', ...filter]));
}

function limit(lab: Lab, device: string, verb: 'add' | 'change', kilobits: number): Promise<void> {
  return tc(lab, [
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

async function drained(lab: Lab, device: string): Promise<void> {
  const command = ['tc', '-n', lab.plan.router.netns, '-json', '-s', 'qdisc', 'show', 'dev', device];
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
  cableOf(lab.plan, place); // only stations have one
  return [place as Station];
}

async function ip(lab: Lab, args: readonly string[]): Promise<void> {
  await runCommand(['ip', '-n', lab.plan.router.netns, ...args]);
}

async function tc(lab: Lab, args: readonly string[]): Promise<void> {
  await runCommand(['tc', '-n', lab.plan.router.netns, ...args]);
}
