import { AFI, type RoutedFamily, routedFamily, SAFI_UNICAST } from '../family/routed-family.ts';
import { frame, MESSAGE_TYPE } from './framing.ts';

/** A ROUTE-REFRESH, RFC 2918 §3 and RFC 7313 §3.2. */
export interface RouteRefresh {
  /** Absent for what the speaker does not route. */
  readonly family?: RoutedFamily;
  readonly subtype: 'request' | 'begin' | 'end' | 'unknown';
}

const SUBTYPES = ['request', 'begin', 'end'] as const;

/** Reads a body. */
export function parseRouteRefresh(body: Uint8Array): RouteRefresh {
  const family = routedFamily((body[0]! << 8) | body[1]!, body[3]!);
  return { ...(family === undefined ? {} : { family }), subtype: SUBTYPES[body[2]!] ?? 'unknown' };
}

/** A whole message. */
export function encodeRouteRefresh(family: RoutedFamily, subtype: (typeof SUBTYPES)[number] = 'request'): Uint8Array {
  return frame(MESSAGE_TYPE.routeRefresh, Uint8Array.of(0, AFI[family], SUBTYPES.indexOf(subtype), SAFI_UNICAST));
}
