import { CodedError } from '@isthmus/core';
import {
  addAltname,
  differingSettings,
  getLink,
  IFLA,
  IFLA_INFO,
  ifinfo,
  type Link,
  listLinks,
  RTM_LINK,
  setLink,
  settingAttributes,
} from './link.ts';
import { type Attributes, attribute, decodeAttributes, NLM_F, nested } from './message.ts';
import { NETLINK_CONFLICT, NETLINK_PORT_TAKEN, NetlinkError } from './netlink-error.ts';
import type { NetlinkSocket } from './socket.ts';

/** A tunnel device whose tunnel keys come from BPF and go to BPF. */
export interface TunnelDevice {
  name: string;
  /** UDP port, both to listen on and to send to. */
  port: number;
  mtu?: number;
  mac?: string;
  altnames?: readonly string[];
}

/** What is particular to one kind of tunnel. */
export interface TunnelKind {
  /** As the kernel calls it. */
  readonly kind: string;
  /** As people call it. */
  readonly title: string;
  /** Settings of a new device on a port. */
  create(port: number): Buffer[];
  /** What a device says about itself; the port is undefined when it says none. */
  read(data: Attributes): { readonly port: number | undefined; readonly external: boolean };
}

const EPERM = 1;

/**
 * Creates a collect-metadata tunnel device: it receives and sends for every VNI and peer, over IPv4 and IPv6 underlays. It takes datagrams
 * with and without UDP checksum (RFC 6935). When it exists already, its settings are brought in line. Does not set it up: that is when the
 * port is opened.
 * @throws CodedError NETLINK_CONFLICT when the name is taken by something else, NETLINK_PORT_TAKEN when another device of the kind in this
 *   namespace has the port; NetlinkError, NETLINK_UNSUPPORTED when the kernel has no such devices
 */
export function ensureTunnelDevice(socket: NetlinkSocket, kind: TunnelKind, device: TunnelDevice): Link {
  const refused = create(socket, kind, device);
  const link = getLink(socket, device.name);
  if (!link) throw notCreated(socket, kind, device, refused);
  if (refused !== undefined) verify(link, kind, device);
  const change = differingSettings(link, device);
  if (change) setLink(socket, link.index, change);
  for (const name of device.altnames ?? []) if (!link.altnames.includes(name)) addAltname(socket, link.index, name);
  return getLink(socket, link.index) ?? link;
}

/** Answers the name of the error when the device, or another one with its port, seems to exist. */
function create(socket: NetlinkSocket, kind: TunnelKind, device: TunnelDevice): string | undefined {
  const info = [attribute(IFLA_INFO.KIND, kind.kind), nested(IFLA_INFO.DATA, ...kind.create(device.port))];
  return socket.change({
    type: RTM_LINK.NEW,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    body: Buffer.concat([ifinfo(), attribute(IFLA.NAME, device.name), ...settingAttributes(device), nested(IFLA.LINKINFO, ...info)]),
    what: what(kind, device),
    object: device.name,
    // EBUSY and EPERM: what the GENEVE driver says of a port that another of its devices has.
    tolerate: ['EEXIST', 'EBUSY', 'EPERM'],
  });
}

function what(kind: TunnelKind, device: TunnelDevice): string {
  return `create ${kind.title} device ${device.name} on port ${device.port}`;
}

function notCreated(socket: NetlinkSocket, kind: TunnelKind, device: TunnelDevice, refused: string | undefined): CodedError {
  const other = listLinks(socket).find((link) => link.kind === kind.kind && kind.read(decodeAttributes(link.data)).port === device.port);
  if (refused === 'EPERM' && !other) return new NetlinkError(EPERM, what(kind, device), device.name);
  const who = other ? `${kind.title} device ${other.name}` : `another ${kind.title} device`;
  return new CodedError(NETLINK_PORT_TAKEN, `${who} has UDP port ${device.port} already`, { object: device.name });
}

function verify(link: Link, kind: TunnelKind, device: TunnelDevice): void {
  const isKind = link.kind === kind.kind;
  const { port, external } = kind.read(isKind ? decodeAttributes(link.data) : new Map());
  if (port === device.port && external) return;
  const is = isKind
    ? `a ${kind.title} device on port ${port}${external ? '' : ' without collect metadata'}`
    : `of kind ${link.kind || 'none'}`;
  throw new CodedError(NETLINK_CONFLICT, `link ${link.name} exists and is ${is}, wanted is ${kind.title} on port ${device.port}`, {
    object: link.name,
    action: `Delete it with \`ip link del ${link.name}\`; it is created again with the wanted settings`,
  });
}
