import {
  deleteAddress,
  ensureAddress,
  ensureVeth,
  getLink,
  type Link,
  listAddresses,
  NetlinkSocket,
  replaceNeighbour,
  setLink,
  writeSysctl,
} from '@isthmus/datapath';
import type { PodAddresses } from '../endpoint/endpoint-ports.ts';
import { ensureTunnel, type Tunnel, type TunnelOptions } from './tunnel.ts';

/** Names of the devices that an agent makes, with the names that existing tools look for. */
const HOST = { name: 'isth_host', altname: 'cilium_host' };
const NET = { name: 'isth_net', altname: 'cilium_net' };

/**
 * Next hops of the routes to pods, on the link between `isth_host` and `isth_net`. Nobody answers there: they have permanent neighbours, and
 * the program on `isth_net` takes every packet.
 */
export const POD_NEXT_HOP = { 4: '169.254.42.1', 6: 'fe80::15:7' } as const;

/** The devices of the datapath. */
export interface DatapathDevices {
  readonly host: Link;
  readonly net: Link;
  /** Undefined where nothing goes through one. */
  readonly tunnel: Tunnel | undefined;
}

/** What they are made from. */
export interface DeviceOptions {
  /** Absent: there is none. */
  readonly tunnel?: TunnelOptions | undefined;
  readonly podMtu: number;
  readonly ipv6: boolean;
}

/**
 * Makes the devices, or takes over those that are there.
 * @throws CodedError of the netlink adapter: a name that is somebody else's, a tunnel port that is taken
 */
export function ensureDevices({ tunnel: wanted, podMtu, ipv6 }: DeviceOptions): DatapathDevices {
  const devices = NetlinkSocket.using('route', undefined, (socket) => {
    // The tunnel first: it is the one that somebody else can stand in the way of, and then nothing else has been made.
    const tunnel = wanted && ensureTunnel(socket, wanted);
    const host = ensureVeth(socket, {
      near: { name: HOST.name, mtu: podMtu, altnames: [HOST.altname] },
      peer: { name: NET.name, mtu: podMtu, altnames: [NET.altname] },
    });
    const net = up(socket, NET.name);
    for (const ip of Object.values(POD_NEXT_HOP))
      if (ipv6 || !ip.includes(':')) replaceNeighbour(socket, { index: host.index, ip, mac: net.mac });
    return { host: up(socket, HOST.name), net, tunnel };
  });
  for (const name of [HOST.name, NET.name]) writeSysctl(undefined, `ipv4/conf/${name}/rp_filter`, 0);
  writeSysctl(undefined, 'ipv4/ip_forward', 1);
  if (ipv6) writeSysctl(undefined, 'ipv6/conf/all/forwarding', 1);
  return devices;
}

/** Gives the host its addresses among the pods, and takes away those of CIDRs that the node no longer has. */
export function setHostAddresses(host: Link, { ipv4, ipv6 }: PodAddresses): void {
  const wanted = [ipv4 && `${ipv4}/32`, ipv6 && `${ipv6}/128`].filter((address) => address !== '');
  NetlinkSocket.using('route', undefined, (socket) => {
    for (const address of wanted) ensureAddress(socket, host.index, address);
    for (const { address } of listAddresses(socket, host.index))
      if (!address.startsWith('fe80:') && !wanted.includes(address)) deleteAddress(socket, host.index, address);
  });
}

function up(socket: NetlinkSocket, name: string): Link {
  setLink(socket, name, { up: true });
  return getLink(socket, name) as Link;
}
