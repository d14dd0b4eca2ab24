import { CodedError, defineError } from '@isthmus/core';
import {
  LEARNED_ROUTE_PROTOCOL,
  type Link,
  type LinkAddress,
  listAddresses,
  listLinks,
  listRoutes,
  NetlinkSocket,
  type Route,
} from '@isthmus/datapath';
import type { Config } from '@isthmus/model';
import type { Family } from '@isthmus/net';

export const NODE_DEVICE_UNKNOWN = defineError(
  'NODE_DEVICE_UNKNOWN',
  'The physical device or the address of this node was not found.',
  'Set `devices` and `node-ipv4` or `node-ipv6`.',
);

const LOOPBACK = 'lo';

/** How this node is attached to the network between nodes. */
export interface NodeUnderlay {
  readonly devices: readonly Link[];
  readonly ipv4: string;
  readonly ipv6: string;
  readonly mtu: number;
}

/** What the kernel says of this node's network. */
export interface UnderlayFacts {
  readonly links: readonly Link[];
  readonly addresses: readonly LinkAddress[];
  readonly routes: readonly Route[];
}

/** Finds the node's devices and addresses; what the configuration says wins. @throws CodedError NODE_DEVICE_UNKNOWN */
export function findUnderlay(config: Config): NodeUnderlay {
  return NetlinkSocket.using('route', undefined, (socket) =>
    underlayOf(config, { links: listLinks(socket), addresses: listAddresses(socket), routes: listRoutes(socket) }),
  );
}

/**
 * The node's devices are those of its default routes, each next hop's. Its address is the one that the default route says to send from: on a
 * routed fabric that is an address on `lo`, which is reached over any of the devices. Where the route does not say, it is the first device's,
 * and that of `lo` where devices have none.
 * @throws CodedError NODE_DEVICE_UNKNOWN
 */
export function underlayOf(config: UnderlayConfig, facts: UnderlayFacts): NodeUnderlay {
  const devices = config.devices.length > 0 ? config.devices.map((name) => linkNamed(facts, name)) : defaultDevices(facts);
  const first = devices[0];
  if (!first) throw new CodedError(NODE_DEVICE_UNKNOWN, 'no device has a default route', { object: 'devices' });
  const ipv4 = config['node-ipv4'] || addressOf(4, devices, facts);
  const ipv6 = config['node-ipv6'] || addressOf(6, devices, facts);
  if (ipv4 === '' && ipv6 === '') throw new CodedError(NODE_DEVICE_UNKNOWN, `device ${first.name} has no address`, { object: first.name });
  return { devices, ipv4, ipv6, mtu: config.mtu || Math.min(...devices.map((device) => device.mtu)) };
}

type UnderlayConfig = Pick<Config, 'devices' | 'node-ipv4' | 'node-ipv6' | 'mtu'>;

function linkNamed({ links }: UnderlayFacts, name: string): Link {
  const link = links.find((one) => one.name === name || one.altnames.includes(name));
  if (link) return link;
  throw new CodedError(NODE_DEVICE_UNKNOWN, `there is no device ${name}`, { object: name });
}

function addressOf(family: Family, devices: readonly Link[], facts: UnderlayFacts): string {
  const indexes = devices.map(({ index }) => index);
  const sources = defaultRoutes(facts, family).filter((route) => devicesOf(route).some((index) => indexes.includes(index)));
  const source = sources.flatMap((route) => route.source ?? [])[0];
  const loopback = facts.links.filter(({ name }) => name === LOOPBACK).map(({ index }) => index);
  return source ?? firstOn(indexes.slice(0, 1), family, facts) ?? firstOn(loopback, family, facts) ?? '';
}

/** The first address of a family on these devices that others can send to. */
function firstOn(indexes: readonly number[], family: Family, { addresses }: UnderlayFacts): string | undefined {
  return addresses
    .filter(({ index }) => indexes.includes(index))
    .map(({ address }) => address.split('/')[0] as string)
    .find((ip) => familyOf(ip) === family && !ip.startsWith('fe80:') && !ip.startsWith('127.') && ip !== '::1');
}

function defaultDevices(facts: UnderlayFacts): Link[] {
  const indexes = new Set([...defaultRoutes(facts, 4), ...defaultRoutes(facts, 6)].flatMap(devicesOf));
  return [...indexes].flatMap((index) => facts.links.find((link) => link.index === index) ?? []);
}

/** The one that is used comes first. What was learned does not count: it may be gone when the agent starts again, and the node must stay who it is. */
function defaultRoutes({ routes }: UnderlayFacts, family: Family): Route[] {
  const destination = family === 4 ? '0.0.0.0/0' : '::/0';
  const set = routes.filter((route) => route.destination === destination && route.protocol !== LEARNED_ROUTE_PROTOCOL);
  return set.toSorted((a, b) => (a.metric ?? 0) - (b.metric ?? 0));
}

function devicesOf(route: Route): number[] {
  return [...(route.device === undefined ? [] : [route.device]), ...(route.hops ?? []).flatMap(({ device }) => device ?? [])];
}

function familyOf(ip: string): Family {
  return ip.includes(':') ? 6 : 4;
}
