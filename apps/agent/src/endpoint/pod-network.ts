import { createHash } from 'node:crypto';
import { fstatSync, statSync } from 'node:fs';
import { CodedError, defineError, isCoded } from '@isthmus/core';
import {
  addRoute,
  closeNetns,
  deleteLink,
  ensureAddress,
  ensureVeth,
  getLink,
  type Link,
  listAddresses,
  listRoutes,
  NETLINK_CONFLICT,
  NetlinkSocket,
  openNetns,
  type Route,
  replaceNeighbour,
  setLink,
  writeSysctl,
} from '@isthmus/datapath';
import type { EndpointRow } from '@isthmus/model';

export const POD_NETNS_OWN = defineError(
  'POD_NETNS_OWN',
  "CNI was called with the node's own network namespace as the pod's.",
  'Give the pod a network namespace of its own: a pod of the host network needs no CNI call.',
);
export const POD_ROUTE_TAKEN = defineError(
  'POD_ROUTE_TAKEN',
  'The pod has a route already that its new interface needs.',
  'A pod has one interface of Isthmus, and its default route: take away the other interface, or its route.',
);

/** Routes that the kernel made for us, by nobody's daemon. */
const PROTOCOL_STATIC = 4;
const TABLE_MAIN = 254;
const OWN_NETNS = '/proc/thread-self/ns/net';

/** What a pod's network is to be. */
export interface PodNetwork {
  containerId: string;
  /** Namespace file of the pod. */
  netns: string;
  /** Interface name inside the pod. */
  podInterface: string;
  /** Addresses without prefix length; empty when the family is off. */
  ipv4: string;
  ipv6: string;
  gateway: { ipv4: string; ipv6: string };
  mtu: number;
}

/** What the kernel made of it. */
export interface PodDevice {
  interfaceName: string;
  ifindex: number;
  mac: string;
  hostMac: string;
}

/** What is there of a pod's network. */
export interface PodNetworkState {
  readonly host: Link | undefined;
  readonly pod: Link | undefined;
  /** Of the pod's interface, with their prefix lengths. */
  readonly addresses: readonly string[];
  /** Of the pod's main table, through its interface. */
  readonly routes: readonly Route[];
}

/** Name of the host side of a pod interface's veth pair: the same for the same container, so that an interrupted ADD can be cleaned up. */
export function hostInterfaceName(containerId: string, podInterface: string): string {
  return `isth${digest(containerId, podInterface).subarray(0, 4).toString('hex')}`;
}

/**
 * Makes the pod's veth pair, its addresses, routes and neighbour.
 * @throws CodedError POD_NETNS_OWN, POD_ROUTE_TAKEN, those of namespaces and the netlink adapter; what was made until then is to be removed
 *   with {@link removePodNetwork}
 */
export function createPodNetwork(network: PodNetwork): PodDevice {
  const netns = openNetns(network.netns);
  try {
    if (isOwn(netns)) throw new CodedError(POD_NETNS_OWN, `${network.netns} is the node's own namespace`, { object: network.netns });
    return createIn(netns, network);
  } finally {
    closeNetns(netns);
  }
}

function isOwn(netns: number): boolean {
  const [own, other] = [statSync(OWN_NETNS), fstatSync(netns)];
  return own.ino === other.ino && own.dev === other.dev;
}

function createIn(netns: number, network: PodNetwork): PodDevice {
  const name = hostInterfaceName(network.containerId, network.podInterface);
  const hash = digest(network.containerId, network.podInterface);
  const mac = localMac(hash, 0x0a, 8);
  const hostMac = localMac(hash, 0x0e, 16);
  const link = NetlinkSocket.using('route', undefined, (socket) => {
    const near = ensureVeth(socket, {
      near: { name, mtu: network.mtu, mac: hostMac },
      peer: { name: network.podInterface, mtu: network.mtu, mac, netns },
    });
    setLink(socket, near.index, { up: true });
    return near;
  });
  writeSysctl(undefined, `ipv4/conf/${name}/rp_filter`, 0);
  NetlinkSocket.using('route', netns, (socket) => configureInside(socket, netns, network, hostMac));
  return { interfaceName: name, ifindex: link.index, mac, hostMac };
}

/** Removes the veth pair by its host side; its pod side goes with it. Absent is fine. */
export function removePodNetwork(interfaceName: string): void {
  NetlinkSocket.using('route', undefined, (socket) => deleteLink(socket, interfaceName));
}

/** The host side of a pod's veth pair, if it is there. */
export function findPodLink(interfaceName: string): Link | undefined {
  return NetlinkSocket.using('route', undefined, (socket) => getLink(socket, interfaceName));
}

/** Fine while a namespace is there. @throws CodedError NETNS_MISSING, NETNS_ENTER */
export function visitNetns(netns: string): void {
  closeNetns(openNetns(netns));
}

/** Looks what is there of a pod's network. @throws CodedError NETNS_MISSING, NETNS_ENTER, those of the netlink adapter */
export function inspectPodNetwork({ interfaceName, podInterface, netns }: EndpointRow): PodNetworkState {
  const host = findPodLink(interfaceName);
  return NetlinkSocket.using('route', netns, (socket) => {
    const pod = getLink(socket, podInterface);
    return {
      host,
      pod,
      addresses: pod ? listAddresses(socket, pod.index).map(({ address }) => address) : [],
      routes: pod ? listRoutes(socket, { table: TABLE_MAIN }).filter(({ device }) => device === pod.index) : [],
    };
  });
}

function configureInside(socket: NetlinkSocket, netns: number, network: PodNetwork, gatewayMac: string): void {
  setLink(socket, 'lo', { up: true });
  setLink(socket, network.podInterface, { up: true });
  const index = getLink(socket, network.podInterface)?.index as number;
  if (network.ipv6 !== '') writeSysctl(netns, `ipv6/conf/${network.podInterface}/disable_ipv6`, 0);
  const families = [
    { address: network.ipv4, length: 32, gateway: network.gateway.ipv4, any: '0.0.0.0/0' },
    { address: network.ipv6, length: 128, gateway: network.gateway.ipv6, any: '::/0' },
  ];
  for (const { address, length, gateway, any } of families) {
    if (address === '') continue;
    ensureAddress(socket, index, `${address}/${length}`);
    // The gateway answers no ARP and no neighbour discovery: everything leaves to the other end of the pair.
    replaceNeighbour(socket, { index, ip: gateway, mac: gatewayMac });
    addPodRoute(socket, network, { destination: `${gateway}/${length}`, device: index, protocol: PROTOCOL_STATIC });
    addPodRoute(socket, network, { destination: any, via: gateway, device: index, mtu: network.mtu, protocol: PROTOCOL_STATIC });
  }
}

/** What another interface has is never taken from it: its packets would leave by ours, and be dropped as not ours. */
function addPodRoute(socket: NetlinkSocket, network: PodNetwork, route: Route): void {
  try {
    addRoute(socket, route);
  } catch (cause) {
    if (!isCoded(cause, NETLINK_CONFLICT)) throw cause;
    const message = `${network.netns} has a route to ${route.destination} already, by another interface than ${network.podInterface}`;
    throw new CodedError(POD_ROUTE_TAKEN, message, { object: network.netns, cause });
  }
}

function digest(containerId: string, podInterface: string): Buffer {
  return createHash('sha256').update(`${containerId}/${podInterface}`).digest();
}

/** A locally administered unicast address. */
function localMac(hash: Buffer, first: number, from: number): string {
  return [first, ...hash.subarray(from, from + 5)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
