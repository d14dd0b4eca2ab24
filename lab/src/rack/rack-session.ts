import type { RackLink, RackPlan, RouterPlace } from '../topology/rack-plan.ts';

/** The two families, each of which has a session of its own on each link. */
export const FAMILIES = ['ipv4', 'ipv6'] as const;
/** One of {@link FAMILIES}. */
export type RackFamily = (typeof FAMILIES)[number];

/** Milliseconds between two BFD packets, either way, and how many may be missing before a link counts as dead. */
export const RACK_BFD = { intervalMs: 50, multiplier: 3 } as const;
/** Seconds. */
export const RACK_TIMERS = { keepalive: 3, hold: 9 } as const;
/** How many next hops of equal rank a ToR uses at once. */
export const RACK_PATHS = 8;

/** A BGP session of a ToR: over one family, for the routes of that family. */
export interface RackSession {
  /** For people and for daemons that name their sessions: `east_n1_up0_ipv4`, `rs_ipv4`. */
  readonly name: string;
  readonly family: RackFamily;
  readonly own: string;
  readonly peer: string;
  readonly peerAsn: number;
  /** Device at the ToR. */
  readonly device: string;
  readonly password?: string;
  /** A node's: it has BFD, and the node is the one who connects. */
  readonly toNode: boolean;
}

/** The session of a ToR over one family of a link. */
export function linkSession(link: RackLink, family: RackFamily): RackSession {
  const name = [link.cluster, link.node, link.device, family].join('_').replaceAll('-', '_');
  const protectedBy = family === 'ipv4' && link.password !== undefined ? { password: link.password } : {};
  return {
    name,
    family,
    own: link.tor[family],
    peer: link.own[family],
    peerAsn: link.asn,
    device: link.port,
    toNode: true,
    ...protectedBy,
  };
}

/** Every session of a ToR: with the route server, then with the nodes. */
export function sessionsOf(rack: RackPlan, routeServer: RouterPlace, device: string): RackSession[] {
  const upwards = FAMILIES.map(
    (family): RackSession => ({
      name: `${routeServer.name.replaceAll('-', '_')}_${family}`,
      family,
      own: rack.addresses[family],
      peer: routeServer.addresses[family],
      peerAsn: routeServer.asn,
      device,
      toNode: false,
    }),
  );
  return [...upwards, ...rack.links.flatMap((link) => FAMILIES.map((family) => linkSession(link, family)))];
}
