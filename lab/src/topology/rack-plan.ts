import { join } from 'node:path';
import { type Cidr, parseCidr } from '@isthmus/net';
import type { LabPaths } from './lab-paths.ts';
import type { Addresses, Place } from './place.ts';
import type { Topology } from './topology.ts';

/** A place that runs a routing daemon: a rack's ToR, or the route server. */
export interface RouterPlace extends Place {
  readonly name: string;
  readonly daemon: 'frr' | 'bird' | 'gobgp';
  readonly asn: number;
  /** Its addresses on the segment that all of them share. */
  readonly addresses: Addresses;
  /** Its configuration, and what its daemons write. */
  readonly data: string;
}

/** One of the two links of a node to its ToR: a cable that nobody else is on, and a BGP session over each family. */
export interface RackLink {
  readonly cluster: string;
  readonly node: string;
  /** `up0` or `up1`: the device in the node. */
  readonly device: string;
  /** The device at the ToR. */
  readonly port: string;
  /** AS number of the node. */
  readonly asn: number;
  /** Addresses of the ToR's end, in a /31 and a /127 (RFC 3021, RFC 6164). */
  readonly tor: Addresses;
  /** Addresses of the node's end. */
  readonly own: Addresses;
  /** What the session over IPv4 is protected by (RFC 2385); the others are not. */
  readonly password?: string;
}

/** A rack: its ToR, and the links to it. */
export interface RackPlan extends RouterPlace {
  readonly links: readonly RackLink[];
}

/** All that routes between the nodes of a lab with racks. */
export interface FabricPlan {
  /** The segment that all routers are on: its device in every one of them. */
  readonly device: string;
  /** Prefix lengths of the segment. */
  readonly prefix: { readonly ipv4: number; readonly ipv6: number };
  readonly routeServer: RouterPlace;
  readonly racks: readonly RackPlan[];
}

/** Prefix lengths of a link. */
export const LINK_PREFIX = { ipv4: 31, ipv6: 127 } as const;
/** A node's devices to its ToR. */
export const UPLINKS: readonly string[] = ['up0', 'up1'];

const ROUTE_SERVER_HOST = 1;
const FIRST_TOR_HOST = 11;

/** Names and numbers the racks of a lab; undefined without any. */
export function planFabric(paths: LabPaths, topology: Topology): FabricPlan | undefined {
  const { racks, routeServer } = topology;
  if (routeServer === undefined || racks.length === 0) return undefined;
  const [ipv4, ipv6] = [parseCidr(routeServer.underlay.ipv4) as Cidr, parseCidr(routeServer.underlay.ipv6) as Cidr];
  const addresses = (host: number): Addresses => ({ ipv4: ipv4.nth(host).toString(), ipv6: ipv6.nth(host).toString() });
  const router = (name: string, asn: number, host: number) => ({
    id: name,
    netns: `${paths.netnsPrefix}${name}`,
    hostname: name,
    cgroup: join(paths.cgroup, name),
    name,
    asn,
    addresses: addresses(host),
    data: join(paths.data, name),
  });
  return {
    device: 'fabric',
    prefix: { ipv4: ipv4.length, ipv6: ipv6.length },
    routeServer: { ...router(routeServer.name, routeServer.asn, ROUTE_SERVER_HOST), daemon: 'gobgp' },
    racks: racks.map((rack, index) => ({
      ...router(rack.name, rack.asn, FIRST_TOR_HOST + index),
      daemon: rack.daemon,
      links: planLinks(rack, topology),
    })),
  };
}

/** The first link of each rack has a password on it. */
function planLinks(rack: Topology['racks'][number], topology: Topology): RackLink[] {
  const [ipv4, ipv6] = [parseCidr(rack.links.ipv4) as Cidr, parseCidr(rack.links.ipv6) as Cidr];
  const nodes = topology.clusters
    .filter((cluster) => cluster.rack === rack.name)
    .flatMap((cluster) => cluster.nodes.map((node) => ({ cluster: cluster.name, node: node.name, asn: node.asn ?? 0 })));
  const ends = nodes.flatMap((node) => UPLINKS.map((device) => ({ ...node, device })));
  return ends.map((end, index): RackLink => {
    const addresses = (host: number): Addresses => ({ ipv4: ipv4.nth(host).toString(), ipv6: ipv6.nth(host).toString() });
    // Not from 0 on: the first address of a network reads like the network itself.
    const first = 2 * (index + 1);
    const link = { ...end, port: `port${index}`, tor: addresses(first), own: addresses(first + 1) };
    return index === 0 ? { ...link, password: `of-the-first-link-of-${rack.name}` } : link;
  });
}
