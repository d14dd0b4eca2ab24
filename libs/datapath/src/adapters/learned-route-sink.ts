import type { FoundEntry, SinkFailures, SinkRow, SinkTarget } from '@isthmus/core';
import type { LearnedRouteRow } from '@isthmus/model';
import { each } from './each-route.ts';
import { deleteRoute, listRoutes, NetlinkSocket, type Route, replaceRoute } from './netlink/index.ts';

/** The number under which the kernel lists what was learned (`ip route show proto 196`). */
export const LEARNED_ROUTE_PROTOCOL = 196;
/**
 * Behind everything that may lead to the same prefix: what the kernel, people, DHCP and router advertisements set (up to 1024), and our own routes
 * into the tunnel, from which a peer is moved over without a gap.
 */
const METRIC = 0x2000;
/** Everything that was learned belongs together. */
export const LEARNED_SCOPE = 'learned';

/** What the node sends with on learned routes, by family: the address that others know it by. Empty: what the kernel chooses. */
export interface LearnedRouteSource {
  readonly 4: string;
  readonly 6: string;
}

/** Makes the kernel's learned routes equal to the table. Touches no other routes, those of other daemons included. */
export class LearnedRouteSink implements SinkTarget<LearnedRouteRow> {
  readonly #source: LearnedRouteSource;

  constructor(source: LearnedRouteSource = { 4: '', 6: '' }) {
    this.#source = source;
  }

  update(rows: readonly SinkRow<LearnedRouteRow>[]): SinkFailures {
    return each(rows, ({ key, row }, socket) => replaceRoute(socket, this.#route(key, row)));
  }

  delete(keys: readonly string[]): SinkFailures {
    const rows = keys.map((key) => ({ key }));
    return each(rows, ({ key }, socket) => deleteRoute(socket, { destination: key, metric: METRIC, protocol: LEARNED_ROUTE_PROTOCOL }));
  }

  *entries(): Generator<FoundEntry[]> {
    yield listLearnedRoutes().map(([key]) => ({ key, scope: LEARNED_SCOPE }));
  }

  #route(destination: string, { nextHops }: LearnedRouteRow): Route {
    const hops = nextHops.map(({ address, device }) => ({ via: address, ...(device !== undefined && { device }) }));
    const to = hops.length === 1 ? hops[0]! : { hops };
    const source = this.#source[destination.includes(':') ? 6 : 4];
    return { destination, ...to, metric: METRIC, protocol: LEARNED_ROUTE_PROTOCOL, ...(source !== '' && { source }) };
  }
}

/** What an earlier run learned and the kernel still has, by prefix. @throws NetlinkError */
export function listLearnedRoutes(): [prefix: string, row: LearnedRouteRow][] {
  const routes = NetlinkSocket.using('route', undefined, (socket) => listRoutes(socket, { protocol: LEARNED_ROUTE_PROTOCOL }));
  return routes.map((route) => [
    route.destination,
    { nextHops: hopsOf(route).map(({ via, device }) => ({ address: via, ...(device !== undefined && { device }) })) },
  ]);
}

function hopsOf({ hops, via, device }: Route): { via: string; device?: number }[] {
  if (hops !== undefined) return [...hops];
  return via === undefined ? [] : [{ via, ...(device !== undefined && { device }) }];
}
