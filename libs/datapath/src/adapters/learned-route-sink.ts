import type { FoundEntry, SinkFailures, SinkRow, SinkTarget } from '@isthmus/core';
import type { LearnedRouteRow } from '../tables/learned-routes.ts';
import { each } from './each-route.ts';
import { deleteRoute, listRoutes, NetlinkSocket, type Route, replaceRoute } from './netlink/index.ts';

/** The number under which the kernel lists what was learned (`ip route show proto 196`). */
export const LEARNED_ROUTE_PROTOCOL = 196;
/** Behind what people set by hand (0) and the kernel's own; what FRR gives to routes of external peers. IPv6 would read 0 as 1024. */
const METRIC = 20;
/** Everything that was learned belongs together. */
export const LEARNED_SCOPE = 'learned';

/** Makes the kernel's learned routes equal to the table. Touches no other routes, those of other daemons included. */
export class LearnedRouteSink implements SinkTarget<LearnedRouteRow> {
  update(rows: readonly SinkRow<LearnedRouteRow>[]): SinkFailures {
    return each(rows, ({ key, row }, socket) => replaceRoute(socket, routeOf(key, row)));
  }

  delete(keys: readonly string[]): SinkFailures {
    const rows = keys.map((key) => ({ key }));
    return each(rows, ({ key }, socket) => deleteRoute(socket, { destination: key, metric: METRIC, protocol: LEARNED_ROUTE_PROTOCOL }));
  }

  *entries(): Generator<FoundEntry[]> {
    const routes = NetlinkSocket.using('route', undefined, (socket) => listRoutes(socket, { protocol: LEARNED_ROUTE_PROTOCOL }));
    yield routes.map(({ destination }) => ({ key: destination, scope: LEARNED_SCOPE }));
  }
}

function routeOf(destination: string, { nextHops }: LearnedRouteRow): Route {
  const hops = nextHops.map(({ address, device }) => ({ via: address, ...(device !== undefined && { device }) }));
  const to = hops.length === 1 ? hops[0]! : { hops };
  return { destination, ...to, metric: METRIC, protocol: LEARNED_ROUTE_PROTOCOL };
}
