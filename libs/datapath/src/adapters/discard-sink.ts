import { type FoundEntry, LOCAL_SCOPE, type SinkFailures, type SinkRow, type SinkTarget } from '@isthmus/core';
import { each } from './each-route.ts';
import { deleteRoute, listRoutes, NetlinkSocket, type Route, replaceRoute } from './netlink/index.ts';

/** The number under which the kernel lists them (`ip route show proto 197`). */
export const DISCARD_PROTOCOL = 197;
/** Behind everything that leads somewhere, but before what was learned: another node's way to the same prefix leads back here. */
const METRIC = 0x1fff;

/**
 * Makes the kernel refuse packets to prefixes that this node announces and has no way to. Without that they would go by the default route, to a
 * router that sends them back, until their TTL is over.
 */
export class DiscardSink implements SinkTarget<true> {
  update(rows: readonly SinkRow<true>[]): SinkFailures {
    return each(rows, ({ key }, socket) => replaceRoute(socket, discard(key)));
  }

  delete(keys: readonly string[]): SinkFailures {
    return each(
      keys.map((key) => ({ key })),
      ({ key }, socket) => deleteRoute(socket, discard(key)),
    );
  }

  *entries(): Generator<FoundEntry[]> {
    const routes = NetlinkSocket.using('route', undefined, (socket) => listRoutes(socket, { protocol: DISCARD_PROTOCOL }));
    yield routes.map(({ destination }) => ({ key: destination, scope: LOCAL_SCOPE }));
  }
}

function discard(destination: string): Route {
  return { destination, type: 'unreachable', metric: METRIC, protocol: DISCARD_PROTOCOL };
}
