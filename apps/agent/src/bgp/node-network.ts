import { advertiseRouter, type NextHop, solicitNeighbours } from '@isthmus/bgp';
import {
  getLink,
  LEARNED_ROUTE_PROTOCOL,
  type LinkLocalNeighbour,
  listAddresses,
  listLinkLocalNeighbours,
  listLinks,
  listRoutes,
  matchRoute,
  NetlinkSocket,
  type Route,
} from '@isthmus/datapath';
import { parseCidr, parseIp } from '@isthmus/net';
import type { BgpGatewayRow, DeviceAddressRow } from './bgp-tables.ts';
import type { LinkPort } from './link-neighbours.ts';
import { type Hop, resolveHop } from './next-hops.ts';

/** Addresses that nobody else can use: loopback, link-local, multicast. */
const NOT_ANNOUNCED = ['127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '::1/128', 'fe80::/10', 'ff00::/8', '::ffff:0:0/96'].map(
  (text) => parseCidr(text)!,
);

/** This node's own network as BGP looks at it, through netlink. Answers are remembered until {@link changed}. */
export class NodeNetwork implements LinkPort {
  readonly #hops = new Map<string, readonly Hop[]>();

  /** What was remembered may be wrong now. */
  changed(): void {
    this.#hops.clear();
  }

  /** Where a next hop is; nothing when it is out of reach. */
  resolve(hop: NextHop): readonly Hop[] {
    const key = `${hop.nextHop}|${hop.linkLocal ?? ''}`;
    const known = this.#hops.get(key);
    if (known !== undefined) return known;
    const found = NetlinkSocket.using('route', undefined, (socket) => {
      const indexOf = (name: string): number | undefined => listLinks(socket).find((link) => link.name === name)?.index;
      const lookup = (address: string, device?: string): Route | undefined => {
        const index = device === undefined ? undefined : indexOf(device);
        return device !== undefined && index === undefined ? undefined : matchRoute(socket, address, index);
      };
      return resolveHop(hop, lookup, LEARNED_ROUTE_PROTOCOL);
    });
    this.#hops.set(key, found);
    return found;
  }

  /** The node's own address on the link that a peer is on; undefined when it is on none. */
  localAddress(remote: string): { address: string; device: string } | undefined {
    const [text = '', zone] = remote.split('%');
    const ip = parseIp(text);
    if (ip === undefined) return undefined;
    return NetlinkSocket.using('route', undefined, (socket) => {
      for (const { index, name } of listLinks(socket)) {
        if (zone !== undefined && zone !== name) continue;
        for (const { address } of listAddresses(socket, index)) {
          const own = address.split('/')[0]!;
          if (own !== text && parseCidr(address)?.contains(ip)) return { address: own, device: name };
        }
      }
      return undefined;
    });
  }

  announce(device: string, ask: boolean): void {
    const link = NetlinkSocket.using('route', undefined, (socket) => getLink(socket, device));
    if (link === undefined) return;
    // In this order: who knows this node from its advertisement has nothing to ask before it answers.
    if (ask) solicitNeighbours({ device, mac: link.mac });
    advertiseRouter({ device, mac: link.mac });
  }

  neighbours(device: string): readonly LinkLocalNeighbour[] {
    return NetlinkSocket.using('route', undefined, (socket) => {
      const link = getLink(socket, device);
      return link === undefined ? [] : listLinkLocalNeighbours(socket, link.index);
    });
  }

  /** The gateways of the default routes of lowest metric, by family. */
  gateways(): Map<string, BgpGatewayRow> {
    const routes = NetlinkSocket.using('route', undefined, (socket) => listRoutes(socket, { table: MAIN_TABLE }));
    const rows = new Map<string, BgpGatewayRow>();
    for (const [family, destination] of [
      ['ipv4', '0.0.0.0/0'],
      ['ipv6', '::/0'],
    ] as const) {
      const best = routes
        .filter((route) => route.destination === destination && route.protocol !== LEARNED_ROUTE_PROTOCOL)
        .sort((a, b) => (a.metric ?? 0) - (b.metric ?? 0))[0];
      const address = best?.via ?? best?.hops?.[0]?.via;
      // A link-local gateway needs its device, which a peer's address cannot name here.
      if (address !== undefined && !address.startsWith('fe80:')) rows.set(family, { address });
    }
    return rows;
  }

  /** Addresses of devices that are up, which may be announced. */
  deviceAddresses(): Map<string, DeviceAddressRow> {
    const rows = new Map<string, DeviceAddressRow>();
    NetlinkSocket.using('route', undefined, (socket) => {
      for (const { index, name, up } of listLinks(socket)) {
        if (!up) continue;
        for (const { address } of listAddresses(socket, index)) {
          const ip = parseIp(address.split('/')[0]!);
          if (ip === undefined || NOT_ANNOUNCED.some((network) => network.contains(ip))) continue;
          rows.set(`${name}/${ip}`, { device: name, address: ip.toString() });
        }
      }
    });
    return rows;
  }

  /** Indexes of devices that have no carrier. */
  withoutCarrier(): ReadonlySet<number> {
    const links = NetlinkSocket.using('route', undefined, (socket) => listLinks(socket));
    return new Set(links.filter(({ carrier }) => !carrier).map(({ index }) => index));
  }
}

const MAIN_TABLE = 254;
