import { addressBytes, type Family } from '@isthmus/net';
import { familyNumber, familyOf, ipAttribute, ipText, type Prefix, readPrefix } from './inet.ts';
import { type Attributes, attribute, decodeAttributes, first, inside, NLM_F, nested, u32Attribute, u32Of } from './message.ts';
import type { NetlinkSocket } from './socket.ts';

const RTM_ROUTE = { NEW: 24, DELETE: 25, GET: 26 } as const;
const RTA = { DST: 1, OIF: 4, GATEWAY: 5, PRIORITY: 6, PREFSRC: 7, METRICS: 8, MULTIPATH: 9, TABLE: 15, VIA: 18 } as const;
const RTAX_MTU = 2;
const RTMSG_LENGTH = 12;
const RTNEXTHOP_LENGTH = 8;
const RTM_F_CLONED = 0x200;
const RTM_F_FIB_MATCH = 0x2000;
const RTNH_F_ONLINK = 4;
const SCOPE = { UNIVERSE: 0, LINK: 253, NOWHERE: 255 } as const;
const TYPES = { unicast: 1, local: 2, blackhole: 6, unreachable: 7 } as const;
const TABLE_MAIN = 254;
const TABLE_COMPAT = 252;

/** One of several next hops that share a route's traffic. */
export interface RouteHop {
  via: string;
  device?: number;
}

/** A route, as the kernel keeps it. */
export interface Route {
  /** Canonical network: `10.1.0.0/16`, `::/0`. */
  destination: string;
  /** `unicast` unless given. */
  type?: keyof typeof TYPES;
  /** Several next hops, instead of `via` and `device`. */
  hops?: readonly RouteHop[];
  /** Next hop; may be IPv6 for an IPv4 destination (RFC 5549). */
  via?: string;
  /** Index of the device to leave by. */
  device?: number;
  /** True: take the next hop to be on the device's link although no route says so. */
  onlink?: boolean;
  /** Largest packet for this destination, in bytes. */
  mtu?: number;
  /** Address to send from. */
  source?: string;
  /** Lower wins. IPv6 reads 0 as 1024. */
  metric?: number;
  /** 254, the main table, unless given. */
  table?: number;
  /** Who made it: the number under which we list and remove our own routes. */
  protocol: number;
}

/** Which routes to list; what is left out matches all. */
export interface RouteFilter {
  family?: Family;
  table?: number;
  protocol?: number;
}

/**
 * Adds a route, or replaces the one to the same destination with the same table and metric.
 * @throws NetlinkError, RangeError when an address is malformed
 */
export function replaceRoute(socket: NetlinkSocket, route: Route): void {
  setRoute(socket, route, NLM_F.REPLACE);
}

/**
 * Adds a route, and leaves one to the same destination with the same table and metric as it is.
 * @throws NetlinkError CONFLICT when there is one, RangeError when an address is malformed
 */
export function addRoute(socket: NetlinkSocket, route: Route): void {
  setRoute(socket, route, NLM_F.EXCL);
}

function setRoute(socket: NetlinkSocket, route: Route, flag: number): void {
  socket.change({
    type: RTM_ROUTE.NEW,
    flags: NLM_F.CREATE | flag,
    body: encodeRoute(route),
    what: `set route ${describe(route)}`,
    object: route.destination,
  });
}

/**
 * Deletes a route of this destination, table, protocol and (where given) metric, device and next hop; its absence is fine.
 * @returns false when there was none
 * @throws NetlinkError, RangeError when an address is malformed
 */
export function deleteRoute(socket: NetlinkSocket, route: Route): boolean {
  const body = encodeRoute(route);
  // A route found by its destination alone may be of any scope.
  body[6] = SCOPE.NOWHERE;
  const refused = socket.change({
    type: RTM_ROUTE.DELETE,
    body,
    what: `delete route ${describe(route)}`,
    object: route.destination,
    tolerate: ['ESRCH', 'ENODEV'],
  });
  return refused === undefined;
}

/**
 * Lists routes. Routes of other types are left out: we make none.
 * @throws NetlinkError
 */
export function listRoutes(socket: NetlinkSocket, filter: RouteFilter = {}): Route[] {
  const families: Family[] = filter.family ? [filter.family] : [4, 6];
  return families.flatMap((family) => listFamily(socket, family, filter));
}

/**
 * The route that the kernel would send by, as it stands in the table and not as it would be for this packet.
 * @param device leave by this one, which a link-local address needs
 * @returns undefined when there is none
 * @throws NetlinkError, RangeError when the address is malformed
 */
export function matchRoute(socket: NetlinkSocket, address: string, device?: number): Route | undefined {
  const { family, bytes } = addressBytes(address);
  const body = Buffer.alloc(RTMSG_LENGTH);
  body[0] = familyNumber(family);
  body[1] = bytes.length * 8;
  body.writeUInt32LE(RTM_F_FIB_MATCH, 8);
  const attributes = [ipAttribute(RTA.DST, address), ...(device === undefined ? [] : [u32Attribute(RTA.OIF, device)])];
  const answer = socket.get({
    type: RTM_ROUTE.GET,
    body: Buffer.concat([body, ...attributes]),
    what: `look up the way to ${address}`,
    object: address,
    tolerate: ['ENETUNREACH', 'EHOSTUNREACH', 'ENODEV', 'ENETDOWN'],
  });
  return answer && decodeRoute(answer);
}

function listFamily(socket: NetlinkSocket, family: Family, filter: RouteFilter): Route[] {
  const body = Buffer.alloc(RTMSG_LENGTH);
  body[0] = familyNumber(family);
  let routes: Route[] = [];
  const take = (payload: Buffer): void => {
    if (filter.protocol !== undefined && payload[5] !== filter.protocol) return;
    const route = decodeRoute(payload);
    if (route && (filter.table === undefined || route.table === filter.table)) routes.push(route);
  };
  socket.dump({ type: RTM_ROUTE.GET, body, what: `list IPv${family} routes`, object: 'routes' }, take, () => {
    routes = [];
  });
  return routes;
}

function describe(route: Route): string {
  const parts = [route.destination, route.via && `via ${route.via}`, route.device && `dev ${route.device}`];
  return [...parts, route.table && `table ${route.table}`].filter(Boolean).join(' ');
}

function encodeRoute(route: Route): Buffer {
  const prefix = readPrefix(route.destination);
  const table = route.table ?? TABLE_MAIN;
  return Buffer.concat([
    rtmsg(route, prefix, table),
    ipAttribute(RTA.DST, prefix.ip),
    u32Attribute(RTA.TABLE, table),
    ...(route.device === undefined ? [] : [u32Attribute(RTA.OIF, route.device)]),
    ...(route.via === undefined ? [] : [viaAttribute(prefix.family, route.via)]),
    ...(route.hops === undefined ? [] : [multipathAttribute(prefix.family, route.hops)]),
    ...(route.source === undefined ? [] : [ipAttribute(RTA.PREFSRC, route.source)]),
    ...(route.metric === undefined ? [] : [u32Attribute(RTA.PRIORITY, route.metric)]),
    ...(route.mtu === undefined ? [] : [nested(RTA.METRICS, u32Attribute(RTAX_MTU, route.mtu))]),
  ]);
}

/** `struct rtmsg`. */
function rtmsg(route: Route, prefix: Prefix, table: number): Buffer {
  const bytes = Buffer.alloc(RTMSG_LENGTH);
  bytes[0] = familyNumber(prefix.family);
  bytes[1] = prefix.length;
  bytes[4] = table < 256 ? table : TABLE_COMPAT;
  bytes[5] = route.protocol;
  bytes[6] = scopeOf(route);
  bytes[7] = TYPES[route.type ?? 'unicast'];
  bytes.writeUInt32LE(route.onlink ? RTNH_F_ONLINK : 0, 8);
  return bytes;
}

/** A destination without a next hop is on the link itself; the kernel insists that the scope says so. */
function scopeOf(route: Route): number {
  if (route.type === 'local') return 254;
  const unicast = route.type === undefined || route.type === 'unicast';
  return unicast && route.via === undefined && route.hops === undefined ? SCOPE.LINK : SCOPE.UNIVERSE;
}

/** `struct rtnexthop` of each, with its address behind; each has an equal share. */
function multipathAttribute(family: Family, hops: readonly RouteHop[]): Buffer {
  const parts = hops.map(({ via, device = 0 }) => {
    const gateway = viaAttribute(family, via);
    const header = Buffer.alloc(RTNEXTHOP_LENGTH);
    header.writeUInt16LE(RTNEXTHOP_LENGTH + gateway.length, 0);
    header.writeInt32LE(device, 4);
    return Buffer.concat([header, gateway]);
  });
  return attribute(RTA.MULTIPATH, Buffer.concat(parts));
}

function viaAttribute(family: Family, via: string): Buffer {
  const hop = addressBytes(via);
  if (hop.family === family) return ipAttribute(RTA.GATEWAY, via);
  const number = Buffer.alloc(2);
  number.writeUInt16LE(familyNumber(hop.family));
  return attribute(RTA.VIA, Buffer.concat([number, hop.bytes]));
}

/** The route in a message of the kernel; undefined for what is no route of ours to know: caches, other types. */
export function decodeRoute(payload: Buffer): Route | undefined {
  const family = familyOf(payload[0]!);
  const type = (Object.keys(TYPES) as (keyof typeof TYPES)[]).find((name) => TYPES[name] === payload[7]);
  const flags = payload.readUInt32LE(8);
  if (!family || !type || flags & RTM_F_CLONED) return undefined;
  const attributes = decodeAttributes(payload.subarray(RTMSG_LENGTH));
  const destination = first(attributes, RTA.DST) ?? Buffer.alloc(family === 4 ? 4 : 16);
  return {
    destination: `${ipText(destination)}/${payload[1]}`,
    type,
    protocol: payload[5]!,
    table: u32Of(attributes, RTA.TABLE) ?? payload[4]!,
    ...(flags & RTNH_F_ONLINK ? { onlink: true } : {}),
    ...optionalParts(attributes),
  };
}

function optionalParts(attributes: Attributes): Pick<Route, 'via' | 'hops' | 'device' | 'mtu' | 'source' | 'metric'> {
  const via = gatewayOf(attributes);
  const multipath = first(attributes, RTA.MULTIPATH);
  const source = first(attributes, RTA.PREFSRC);
  const parts = {
    via,
    hops: multipath && hopsOf(multipath),
    device: u32Of(attributes, RTA.OIF),
    mtu: u32Of(inside(attributes, RTA.METRICS), RTAX_MTU),
    source: source && ipText(source),
    metric: u32Of(attributes, RTA.PRIORITY),
  };
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
}

function gatewayOf(attributes: Attributes): string | undefined {
  const via = first(attributes, RTA.GATEWAY) ?? first(attributes, RTA.VIA)?.subarray(2);
  return via && ipText(via);
}

/** Next hops that are no addresses are left out: we make none. */
function hopsOf(bytes: Buffer): RouteHop[] {
  const hops: RouteHop[] = [];
  for (let at = 0; at + RTNEXTHOP_LENGTH <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < RTNEXTHOP_LENGTH || at + length > bytes.length) throw new RangeError(`next hop of ${length} bytes at ${at}`);
    const via = gatewayOf(decodeAttributes(bytes.subarray(at + RTNEXTHOP_LENGTH, at + length)));
    if (via !== undefined) hops.push({ via, device: bytes.readInt32LE(at + 4) });
    at += (length + 3) & ~3;
  }
  return hops;
}
