import { randomInt } from 'node:crypto';
import type { Lab } from '../lab.ts';
import { runCommand } from '../machine/run-command.ts';
import { cableOf } from '../network/network-script.ts';
import { type Addresses, type ControlPlace, type NodePlace, stationsOf } from '../topology/plan.ts';
import { defineFault, type Fault } from './fault.ts';

/** Packets are led into it and never come out: it is down. */
const HOLE = 'hole';
/** What a link of so few bits may send at once, and keep waiting: enough for a packet, and for a second or so of patience. */
const BURST_BYTES = 1600;
const QUEUE = '20s';
const MAX_PREFERENCE = 0xffff;

type Station = ControlPlace | NodePlace;

/** The cable of a node or control plane is pulled out at the router. */
export function cut(id: string): Fault {
  return defineFault(`cut ${id}`, async (lab, undo) => {
    const { netns } = lab.plan.router;
    const cable = cableOf(lab.plan, lab.place(id));
    undo.add(async () => void (await runCommand(['ip', '-n', netns, 'link', 'set', cable, 'up'])));
    await runCommand(['ip', '-n', netns, 'link', 'set', cable, 'down']);
  });
}

/**
 * Packets between two sides vanish in the router, both ways, and nobody is told. A side is a node, a control plane (`east/control`), or all of
 * a cluster (`east`).
 */
export function blackhole(one: string, other: string): Fault {
  return defineFault(`blackhole ${one} ${other}`, async (lab, undo) => {
    const { netns } = lab.plan.router;
    const hole = `${HOLE}${anyNumber()}`;
    undo.add(async () => void (await runCommand(['ip', '-n', netns, 'link', 'delete', hole])));
    await runCommand(['ip', '-n', netns, 'link', 'add', hole, 'type', 'ifb']);
    for (const [from, to] of pathsBetween(sideOf(lab, one), sideOf(lab, other))) {
      const cable = cableOf(lab.plan, from);
      await runCommand(['tc', '-n', netns, 'qdisc', 'replace', 'dev', cable, 'clsact']);
      for (const family of ['ipv4', 'ipv6'] as const) undo.add(await swallow(netns, cable, hole, family, to.addresses));
    }
  });
}

/** A cable carries only so many kilobits a second, either way, and what does not fit waits. */
export function slow(id: string, kilobits: number): Fault {
  return defineFault(`slow ${id} ${kilobits}`, async (lab, undo) => {
    const place = lab.place(id);
    const ends = [
      { netns: place.netns, device: 'eth0' },
      { netns: lab.plan.router.netns, device: cableOf(lab.plan, place) },
    ];
    for (const { netns, device } of ends) {
      const qdisc = (verb: string, ...more: string[]) => runCommand(['tc', '-n', netns, 'qdisc', verb, 'dev', device, 'root', ...more]);
      await qdisc('add', 'tbf', 'rate', `${kilobits}kbit`, 'burst', String(BURST_BYTES), 'latency', QUEUE);
      undo.add(async () => void (await qdisc('delete')));
    }
  });
}

/** Holes and filters are told apart by their numbers, so that each fault takes back its own, whichever process injected it. */
function anyNumber(): string {
  return String(randomInt(1, MAX_PREFERENCE));
}

/** Leads what comes in at a cable for one address into the hole. Answers how to take it back. */
async function swallow(netns: string, cable: string, hole: string, family: keyof Addresses, to: Addresses): Promise<() => Promise<void>> {
  const filter = ['dev', cable, 'ingress', 'protocol', family === 'ipv4' ? 'ip' : 'ipv6', 'pref', anyNumber()];
  const match = ['u32', 'match', family === 'ipv4' ? 'ip' : 'ip6', 'dst', `${to[family]}/${family === 'ipv4' ? 32 : 128}`];
  const tc = (verb: string, ...more: string[]) => runCommand(['tc', '-n', netns, 'filter', verb, ...filter, ...more]);
  await tc('add', ...match, 'action', 'mirred', 'egress', 'redirect', 'dev', hole);
  return async () => void (await tc('delete'));
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
