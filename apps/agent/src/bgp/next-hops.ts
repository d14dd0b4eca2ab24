import type { NextHop } from '@isthmus/bgp';
import type { Route } from '@isthmus/datapath';
import type { LearnedRouteRow } from '@isthmus/model';

/** A next hop as the kernel takes it. */
export type Hop = LearnedRouteRow['nextHops'][number];

/** What the kernel would send to an address by; undefined when it has no way there. `device`: for a link-local address. */
export type RouteLookup = (address: string, device?: string) => Route | undefined;

/**
 * Where packets of a learned route go: to the next hop itself where it is on a link of this node, or to the gateway that a route of somebody else
 * names for it. A default route leads everywhere and answers for nobody; what was learned itself answers for nothing either, so that no two
 * routes hold each other up.
 * @param learnedProtocol number of learned routes
 * @returns nothing when the next hop is out of reach
 */
export function resolveHop({ nextHop, linkLocal }: NextHop, lookup: RouteLookup, learnedProtocol: number): readonly Hop[] {
  const zoned = [linkLocal, nextHop].find((address) => address?.includes('%'));
  if (zoned !== undefined) return onLink(zoned, lookup);
  const route = lookup(nextHop);
  if (route === undefined || route.protocol === learnedProtocol || isDefault(route) || route.type !== 'unicast') return [];
  if (route.hops !== undefined) return route.hops.map(({ via, device }) => ({ address: via, ...(device !== undefined && { device }) }));
  if (route.via !== undefined) return [{ address: route.via, ...(route.device !== undefined && { device: route.device }) }];
  if (route.device === undefined) return [];
  return [{ address: linkLocal ?? nextHop, device: route.device }];
}

function onLink(zoned: string, lookup: RouteLookup): readonly Hop[] {
  const [address = '', zone] = zoned.split('%');
  const route = lookup(address, zone);
  return route?.device === undefined ? [] : [{ address, device: route.device }];
}

function isDefault({ destination }: Route): boolean {
  return destination.endsWith('/0');
}
