import { createHash } from 'node:crypto';
import {
  deleteLink,
  ensureAddress,
  ensureVeth,
  getLink,
  type Link,
  NetlinkSocket,
  replaceNeighbour,
  replaceRoute,
  setLink,
  writeSysctl,
} from '@isthmus/datapath';

/** Routes that the kernel made for us, by nobody's daemon. */
const PROTOCOL_STATIC = 4;

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

/** Name of the host side of a pod interface's veth pair: the same for the same container, so that an interrupted ADD can be cleaned up. */
export function hostInterfaceName(containerId: string, podInterface: string): string {
  return `isth${digest(containerId, podInterface).subarray(0, 4).toString('hex')}`;
}

/**
 * Makes the pod's veth pair, its addresses, routes and neighbour. Doing it again for the same pod changes nothing.
 * @throws CodedError of the netlink adapter; what was made until then is to be removed with {@link removePodNetwork}
 */
export function createPodNetwork(network: PodNetwork): PodDevice {
  const name = hostInterfaceName(network.containerId, network.podInterface);
  const hash = digest(network.containerId, network.podInterface);
  const mac = localMac(hash, 0x0a, 8);
  const hostMac = localMac(hash, 0x0e, 16);
  const link = NetlinkSocket.using('route', undefined, (socket) => {
    const near = ensureVeth(socket, {
      near: { name, mtu: network.mtu, mac: hostMac },
      peer: { name: network.podInterface, mtu: network.mtu, mac, netns: network.netns },
    });
    setLink(socket, near.index, { up: true });
    return near;
  });
  writeSysctl(undefined, `ipv4/conf/${name}/rp_filter`, 0);
  NetlinkSocket.using('route', network.netns, (socket) => configureInside(socket, network, hostMac));
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

function configureInside(socket: NetlinkSocket, network: PodNetwork, gatewayMac: string): void {
  setLink(socket, 'lo', { up: true });
  setLink(socket, network.podInterface, { up: true });
  const index = getLink(socket, network.podInterface)?.index as number;
  if (network.ipv6 !== '') writeSysctl(network.netns, `ipv6/conf/${network.podInterface}/disable_ipv6`, 0);
  const families = [
    { address: network.ipv4, length: 32, gateway: network.gateway.ipv4, any: '0.0.0.0/0' },
    { address: network.ipv6, length: 128, gateway: network.gateway.ipv6, any: '::/0' },
  ];
  for (const { address, length, gateway, any } of families) {
    if (address === '') continue;
    ensureAddress(socket, index, `${address}/${length}`);
    // The gateway answers no ARP and no neighbour discovery: everything leaves to the other end of the pair.
    replaceNeighbour(socket, { index, ip: gateway, mac: gatewayMac });
    replaceRoute(socket, { destination: `${gateway}/${length}`, device: index, protocol: PROTOCOL_STATIC });
    replaceRoute(socket, { destination: any, via: gateway, device: index, mtu: network.mtu, protocol: PROTOCOL_STATIC });
  }
}

function digest(containerId: string, podInterface: string): Buffer {
  return createHash('sha256').update(`${containerId}/${podInterface}`).digest();
}

/** A locally administered unicast address. */
function localMac(hash: Buffer, first: number, from: number): string {
  return [first, ...hash.subarray(from, from + 5)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
