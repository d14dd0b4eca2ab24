import type { FoundEntry, SinkFailures, SinkRow, SinkTarget } from '@isthmus/core';
import { clusterScope } from '../sinks/cluster-scope.ts';
import type { RouteRow } from '../tables/routes.ts';
import { each } from './each-route.ts';
import { deleteRoute, listRoutes, NetlinkSocket, type Route, replaceRoute } from './netlink/index.ts';

/** The number under which the kernel lists our routes (`ip route show proto 195`). */
export const ROUTE_PROTOCOL = 195;
/** A route's metric carries its cluster, so that each cluster's routes can be pruned alone. */
const METRIC_BASE = 0x1000;

/** Where routes to pod CIDRs lead. */
export interface RouteSinkOptions {
  /** Index of `isth_host`. */
  device: number;
  /** Next hops on its link, by family, with permanent neighbours: nobody answers there. */
  via: { readonly 4: string; readonly 6: string };
  /** This node's own addresses on it, by family: what the host sends from. */
  source: { readonly 4: string; readonly 6: string };
  ownClusterId: number;
}

/** Makes the kernel's routes to pod CIDRs equal to the table. Touches no route that is not ours. */
export class RouteSink implements SinkTarget<RouteRow> {
  readonly #options: RouteSinkOptions;

  constructor(options: RouteSinkOptions) {
    this.#options = options;
  }

  update(rows: readonly SinkRow<RouteRow>[]): SinkFailures {
    const failures = each(rows, ({ key, row }, socket) => replaceRoute(socket, this.#route(key, row)));
    // A CIDR that moved to another cluster has another metric, which the kernel takes for another route.
    const metrics = new Map(rows.filter(({ key }) => !failures.has(key)).map(({ key, row }) => [key, metricOf(row)]));
    const moved = (route: Route): boolean => metrics.has(route.destination) && metrics.get(route.destination) !== route.metric;
    return new Map([...failures, ...this.#deleteWhere(moved)]);
  }

  delete(keys: readonly string[]): SinkFailures {
    const gone = new Set(keys);
    return this.#deleteWhere(({ destination }) => gone.has(destination));
  }

  *entries(): Generator<FoundEntry[]> {
    const routes = NetlinkSocket.using('route', undefined, (socket) => this.#routes(socket));
    yield routes.map((route) => ({
      key: route.destination,
      scope: clusterScope((route.metric ?? METRIC_BASE) - METRIC_BASE, this.#options.ownClusterId),
    }));
  }

  /** Looks through all of our routes: once for a batch. */
  #deleteWhere(unwanted: (route: Route) => boolean): SinkFailures {
    const routes = NetlinkSocket.using('route', undefined, (socket) => this.#routes(socket)).filter(unwanted);
    return each(
      routes.map((route) => ({ key: route.destination, route })),
      ({ route }, socket) => deleteRoute(socket, route),
    );
  }

  #routes(socket: NetlinkSocket): Route[] {
    return listRoutes(socket, { protocol: ROUTE_PROTOCOL }).filter((route) => route.device === this.#options.device);
  }

  #route(destination: string, row: RouteRow): Route {
    const family = destination.includes(':') ? 6 : 4;
    const source = this.#options.source[family];
    return {
      destination,
      via: this.#options.via[family],
      onlink: true,
      device: this.#options.device,
      mtu: row.mtu,
      metric: metricOf(row),
      protocol: ROUTE_PROTOCOL,
      ...(source === '' ? {} : { source }),
    };
  }
}

function metricOf({ clusterId }: RouteRow): number {
  return METRIC_BASE + clusterId;
}
