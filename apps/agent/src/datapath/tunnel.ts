import { CodedError, isCoded } from '@isthmus/core';
import {
  deleteLink,
  ensureGeneve,
  ensureVxlan,
  getLink,
  isUdpPortFree,
  type Link,
  NETLINK_PORT_TAKEN,
  NETLINK_UNSUPPORTED,
  type NetlinkSocket,
  setLink,
  writeSysctl,
} from '@isthmus/datapath';
import { TUNNEL_PROTOCOLS, type TunnelProtocol } from '@isthmus/model';

/** Names of the kernel's tunnel devices, with the names that existing tools look for, and who makes them. */
const DEVICES = {
  vxlan: { name: 'isth_vxlan', altname: 'cilium_vxlan', ensure: ensureVxlan },
  geneve: { name: 'isth_geneve', altname: 'cilium_geneve', ensure: ensureGeneve },
} as const;

/** What is wanted. */
export interface TunnelOptions {
  readonly protocol: TunnelProtocol;
  readonly port: number;
  readonly mtu: number;
}

/** How this node's packets get to other nodes. */
export interface Tunnel {
  readonly protocol: TunnelProtocol;
  readonly port: number;
  /** The kernel's device; undefined where the programs do its work. */
  readonly device: Link | undefined;
}

/**
 * Makes the tunnel, or takes over the one that is there. GENEVE needs no device where the kernel has none: then only the port must be free.
 * A device of ours for the other protocol stays for now (see {@link removeOtherTunnels}), unless it has this very port.
 * @throws CodedError NETLINK_PORT_TAKEN, NETLINK_CONFLICT, NETLINK_UNSUPPORTED; NetlinkError
 */
export function ensureTunnel(socket: NetlinkSocket, options: TunnelOptions): Tunnel {
  try {
    return open(socket, options);
  } catch (error) {
    if (!isCoded(error, NETLINK_PORT_TAKEN) || !removeOtherTunnels(socket, options.protocol)) throw error;
    return open(socket, options);
  }
}

/**
 * Removes the device of the protocol that is not in use. It comes last: until the programs of all pods send by the new protocol, what
 * others send by the old one is still received.
 * @param protocol undefined where no tunnel is in use
 * @returns whether there was one
 */
export function removeOtherTunnels(socket: NetlinkSocket, protocol: TunnelProtocol | undefined): boolean {
  const others = TUNNEL_PROTOCOLS.filter((other) => other !== protocol && getLink(socket, DEVICES[other].name)?.kind === other);
  for (const other of others) deleteLink(socket, DEVICES[other].name);
  return others.length > 0;
}

function open(socket: NetlinkSocket, options: TunnelOptions): Tunnel {
  const { protocol, port } = options;
  const device = openDevice(socket, options);
  if (device === undefined && !isUdpPortFree(port)) throw portTaken(port);
  return { protocol, port, device };
}

/** Undefined: the kernel has no such devices. */
function openDevice(socket: NetlinkSocket, { protocol, port, mtu }: TunnelOptions): Link | undefined {
  const { name, altname, ensure } = DEVICES[protocol];
  const isNew = getLink(socket, name) === undefined;
  try {
    ensure(socket, { name, port, mtu, altnames: [altname] });
  } catch (error) {
    if (protocol === 'geneve' && isCoded(error, NETLINK_UNSUPPORTED)) return undefined;
    throw error;
  }
  setUp(socket, name, port, isNew);
  writeSysctl(undefined, `ipv4/conf/${name}/rp_filter`, 0);
  return getLink(socket, name);
}

/** The port is taken when the device goes up. One that was made for nothing goes again. */
function setUp(socket: NetlinkSocket, name: string, port: number, isNew: boolean): void {
  try {
    setLink(socket, name, { up: true });
  } catch (cause) {
    if (isNew) deleteLink(socket, name);
    throw isCoded(cause, NETLINK_PORT_TAKEN) ? portTaken(port, cause) : cause;
  }
}

function portTaken(port: number, cause?: unknown): CodedError {
  return new CodedError(NETLINK_PORT_TAKEN, `UDP port ${port} of the tunnel is in use by somebody else`, {
    object: `UDP port ${port}`,
    cause,
  });
}
