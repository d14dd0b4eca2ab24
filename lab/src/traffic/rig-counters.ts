import { readFileSync } from 'node:fs';
import type { Lab } from '../lab.ts';
import type { NodePlace, Place } from '../topology/plan.ts';
import { ECHO_PORT, parseLines, trafficCommand } from './traffic-program.ts';
import { type WireGuardDrops, wireguardDrops } from './wireguard-queues.ts';

/** What a server got that was not meant for it. */
export interface Stray {
  /** Id of the place whose server got it. */
  readonly place: string;
  readonly packets: number;
  /** The last one in words. */
  readonly last: string;
}

/** What the rig itself, not the mesh, did with packets while flows ran. */
export interface RigReport {
  readonly strays: readonly Stray[];
  /** Packets for which the servers' sockets had no room. */
  readonly queueDrops: number;
  /** Packets that a processor of this machine had no room for between two devices, whoever's they were. */
  readonly backlogDrops: number;
  /** Packets that the queues of the nodes' WireGuard had no room for. */
  readonly wireguardDrops: WireGuardDrops;
}

interface ServerCount {
  readonly server: string;
  readonly strays: number;
  readonly lastStray: string;
  readonly queueDrops: number;
}

/** What was counted at one time. */
interface Counts {
  readonly servers: ReadonlyMap<string, ServerCount>;
  readonly backlogDrops: number;
  /** By the node's id. */
  readonly wireguard: ReadonlyMap<string, WireGuardDrops>;
}

/** Counters of the servers, of the machine and of its WireGuard, from when flows start on. */
export class RigCounters {
  readonly #lab: Lab;
  readonly #before: Counts;

  private constructor(lab: Lab, before: Counts) {
    this.#lab = lab;
    this.#before = before;
  }

  static async start(lab: Lab): Promise<RigCounters> {
    return new RigCounters(lab, await counts(lab));
  }

  /** What has been counted since the start. */
  async read(): Promise<RigReport> {
    const before = this.#before;
    const now = await counts(this.#lab);
    const servers = [...now.servers.values()].map((server) => serverSince(server, before.servers.get(server.server)));
    return {
      strays: servers
        .map(({ server, strays, lastStray }) => ({ place: server, packets: strays, last: lastStray }))
        .filter(({ packets }) => packets > 0),
      queueDrops: servers.reduce((sum, server) => sum + server.queueDrops, 0),
      backlogDrops: now.backlogDrops - before.backlogDrops,
      wireguardDrops: wireguardSince(now, before, new Map(servers.map(({ server, queueDrops }) => [server, queueDrops]))),
    };
  }
}

/** A server that was started again counts from 0. */
function serverSince(now: ServerCount, before: ServerCount | undefined): ServerCount {
  const since = (what: 'strays' | 'queueDrops'): number =>
    now[what] >= (before?.[what] ?? 0) ? now[what] - (before?.[what] ?? 0) : now[what];
  return { ...now, strays: since('strays'), queueDrops: since('queueDrops') };
}

/** The sockets of a node are its WireGuard's and its server's. @param servers what servers' sockets had no room for, by place */
function wireguardSince(now: Counts, before: Counts, servers: ReadonlyMap<string, number>): WireGuardDrops {
  const nodes = [...now.wireguard].map(([node, { sockets, tuns }]) => {
    const then = before.wireguard.get(node) ?? { sockets: 0, tuns: 0 };
    return { sockets: Math.max(0, sockets - then.sockets - (servers.get(node) ?? 0)), tuns: tuns - then.tuns };
  });
  return {
    sockets: nodes.reduce((sum, { sockets }) => sum + sockets, 0),
    tuns: nodes.reduce((sum, { tuns }) => sum + tuns, 0),
  };
}

async function counts(lab: Lab): Promise<Counts> {
  const nodes = lab.plan.clusters.flatMap((cluster) => cluster.nodes);
  const [servers, wireguard] = await Promise.all([countServers(lab, nodes), countWireGuard(lab, nodes)]);
  return { servers, backlogDrops: backlogDrops(), wireguard };
}

async function countWireGuard(lab: Lab, nodes: readonly NodePlace[]): Promise<Map<string, WireGuardDrops>> {
  return new Map(await Promise.all(nodes.map(async (node) => [node.id, await wireguardDrops(lab, node)] as const)));
}

async function countServers(lab: Lab, nodes: readonly NodePlace[]): Promise<Map<string, ServerCount>> {
  const places: Place[] = [...nodes, ...nodes.flatMap((node) => node.pods)];
  const servers = await Promise.all(places.map((place) => countServer(lab, place)));
  return new Map(servers.map((count) => [count.server, count]));
}

async function countServer(lab: Lab, place: Place): Promise<ServerCount> {
  const { stdout, stderr } = await lab.exec(place, trafficCommand(['count', `UDP/127.0.0.1:${ECHO_PORT}`]));
  const [count] = parseLines<ServerCount>(stdout);
  if (count === undefined) throw new Error(`${place.id}: ${stderr.trim()}`);
  return count;
}

/** Second column of softnet_stat: packets dropped because a processor's queue between devices was full. */
function backlogDrops(): number {
  const lines = readFileSync('/proc/net/softnet_stat', 'utf8').trim().split('\n');
  return lines.reduce((sum, line) => sum + Number.parseInt(line.split(/\s+/)[1] ?? '0', 16), 0);
}
