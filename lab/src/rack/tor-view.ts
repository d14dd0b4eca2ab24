import type { Lab } from '../lab.ts';
import type { FabricPlan, RackLink, RackPlan } from '../topology/rack-plan.ts';
import { CheckFailed } from '../verify/check.ts';
import { parseBirdRoutes, parseBirdSession } from './bird-view.ts';
import { parseFrrRoutes, parseFrrSession } from './frr-view.ts';
import { linkSession, type RackFamily, type RackSession, sessionsOf } from './rack-session.ts';
import { askRouter } from './router-daemons.ts';

/** A route as a ToR has it from one of its peers, after its import policy. */
export interface TorRoute {
  readonly prefix: string;
  /** Address of the peer that it came from. */
  readonly peer: string;
  readonly nextHop: string;
  /** AS numbers, the nearest first. */
  readonly asPath: readonly number[];
  /** `65535:0` */
  readonly communities: readonly string[];
  /** `65011:1:2` */
  readonly largeCommunities: readonly string[];
  readonly localPreference?: number;
  readonly med?: number;
  /** The one that the ToR announces to others; it may use more than that one. */
  readonly best: boolean;
}

/** What a ToR says of one of its sessions. */
export interface TorSession {
  readonly established: boolean;
  /** In the daemon's own word. */
  readonly state: string;
  /** `off`: there is no BFD on it. */
  readonly bfd: 'up' | 'down' | 'off';
  /** Routes that the peer announces. */
  readonly received: number;
  /** Why it ended last, in the daemon's own words. */
  readonly lastError: string;
}

/** What a ToR has of exactly this prefix; none when nobody announces it. @throws CheckFailed when it does not answer */
export async function torRoutes(lab: Lab, tor: RackPlan, prefix: string): Promise<TorRoute[]> {
  const sessions = allSessions(lab, tor);
  if (tor.daemon === 'frr') {
    const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
    return parseFrrRoutes(prefix, await askTor(lab, tor, ['-d', 'bgpd', '-c', `show bgp ${family} unicast ${prefix} json`]));
  }
  return parseBirdRoutes(prefix, await askTor(lab, tor, ['show', 'route', prefix, 'all']), sessions);
}

/** What a ToR says of its session with a node over one family of one of the node's links. @throws CheckFailed when it does not answer */
export function torSession(lab: Lab, tor: RackPlan, link: RackLink, family: RackFamily): Promise<TorSession> {
  return sessionOf(lab, tor, linkSession(link, family));
}

/** What a ToR says of its sessions with the route server. @throws CheckFailed when it does not answer */
export function routeServerSessions(lab: Lab, tor: RackPlan): Promise<TorSession[]> {
  return Promise.all(
    allSessions(lab, tor)
      .filter(({ toNode }) => !toNode)
      .map((session) => sessionOf(lab, tor, session)),
  );
}

/** Next hops of a route in a ToR's kernel, which is what it forwards by. */
export async function torKernelHops(lab: Lab, tor: RackPlan, prefix: string): Promise<string[]> {
  const { stdout } = await lab.exec(tor, ['ip', '-json', prefix.includes(':') ? '-6' : '-4', 'route', 'show', prefix]);
  const routes = JSON.parse(stdout || '[]') as { gateway?: string; dev?: string; nexthops?: { gateway: string; flags: string[] }[] }[];
  return routes.flatMap(({ gateway, nexthops }) => nexthops?.map((hop) => hop.gateway) ?? gateway ?? []).sort();
}

async function sessionOf(lab: Lab, tor: RackPlan, session: RackSession): Promise<TorSession> {
  if (tor.daemon === 'frr')
    return parseFrrSession(session, await askTor(lab, tor, ['-d', 'bgpd', '-c', `show bgp neighbors ${session.peer} json`]));
  const [protocol, bfd] = [
    await askTor(lab, tor, ['show', 'protocols', 'all', session.name]),
    await askTor(lab, tor, ['show', 'bfd', 'sessions']),
  ];
  return parseBirdSession(session, protocol, bfd);
}

function allSessions(lab: Lab, tor: RackPlan): RackSession[] {
  const { routeServer, device } = fabricOf(lab);
  return sessionsOf(tor, routeServer, device);
}

async function askTor(lab: Lab, tor: RackPlan, words: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await lab.exec(tor, askRouter(tor, fabricOf(lab), words));
  if (status === 0 || stdout !== '') return stdout;
  throw new CheckFailed(`${tor.id} does not answer: ${stderr.trim()}`);
}

function fabricOf({ plan }: Lab): FabricPlan {
  if (plan.fabric) return plan.fabric;
  throw new CheckFailed('this lab has no racks');
}
