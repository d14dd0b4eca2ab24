import { readFileSync } from 'node:fs';
import type { Lab } from '../lab.ts';
import type { Place } from '../topology/plan.ts';
import { ECHO_PORT, parseLines, trafficCommand } from './traffic-program.ts';

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
}

interface ServerCount {
  readonly server: string;
  readonly strays: number;
  readonly lastStray: string;
  readonly queueDrops: number;
}

/** Counters of the servers and of the machine, from when flows start on. */
export class RigCounters {
  readonly #lab: Lab;
  readonly #servers: ReadonlyMap<string, ServerCount>;
  readonly #backlogDrops: number;

  private constructor(lab: Lab, servers: ReadonlyMap<string, ServerCount>, backlogDrops: number) {
    this.#lab = lab;
    this.#servers = servers;
    this.#backlogDrops = backlogDrops;
  }

  static async start(lab: Lab): Promise<RigCounters> {
    return new RigCounters(lab, await countServers(lab), backlogDrops());
  }

  /** What has been counted since the start. */
  async read(): Promise<RigReport> {
    const servers = [...(await countServers(this.#lab)).values()];
    // A server that was started again counts from 0.
    const since = (now: ServerCount, what: 'strays' | 'queueDrops'): number => {
      const before = this.#servers.get(now.server)?.[what] ?? 0;
      return now[what] >= before ? now[what] - before : now[what];
    };
    return {
      strays: servers
        .map((server) => ({ place: server.server, packets: since(server, 'strays'), last: server.lastStray }))
        .filter(({ packets }) => packets > 0),
      queueDrops: servers.reduce((sum, server) => sum + since(server, 'queueDrops'), 0),
      backlogDrops: backlogDrops() - this.#backlogDrops,
    };
  }
}

async function countServers(lab: Lab): Promise<Map<string, ServerCount>> {
  const nodes = lab.plan.clusters.flatMap((cluster) => cluster.nodes);
  const places: Place[] = [...nodes, ...nodes.flatMap((node) => node.pods)];
  const counts = await Promise.all(places.map((place) => countServer(lab, place)));
  return new Map(counts.map((count) => [count.server, count]));
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
