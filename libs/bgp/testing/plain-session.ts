import type { Negotiated } from '../src/capability/negotiated.ts';

/** What two speakers settle that have nothing but four-octet AS numbers and route refresh; external to each other. */
export const PLAIN_SESSION: Negotiated = {
  families: ['ipv4', 'ipv6'],
  addPath: { ipv4: { receive: false, send: false }, ipv6: { receive: false, send: false } },
  fourOctetAs: true,
  extendedNextHop: false,
  extendedMessage: false,
  routeRefresh: true,
  enhancedRouteRefresh: false,
  external: true,
  holdTime: 90,
};
