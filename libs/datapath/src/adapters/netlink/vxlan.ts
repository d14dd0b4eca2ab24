import { CodedError } from '@isthmus/core';
import {
  addAltname,
  differingSettings,
  getLink,
  IFLA,
  IFLA_INFO,
  ifinfo,
  type Link,
  RTM_LINK,
  setLink,
  settingAttributes,
} from './link.ts';
import { attribute, decodeAttributes, first, NLM_F, nested, u8Attribute, u16beAttribute } from './message.ts';
import { NETLINK_CONFLICT, NETLINK_PORT_TAKEN } from './netlink-error.ts';
import type { NetlinkSocket } from './socket.ts';

/** Attributes of a VXLAN device (linux/if_link.h). */
const IFLA_VXLAN = { LEARNING: 7, PORT: 15, UDP_CSUM: 18, ZERO_CSUM6_TX: 19, ZERO_CSUM6_RX: 20, COLLECT_METADATA: 25 } as const;

/** A VXLAN device whose tunnel keys come from BPF and go to BPF. */
export interface VxlanDevice {
  name: string;
  /** UDP port, both to listen on and to send to. */
  port: number;
  mtu?: number;
  mac?: string;
  altnames?: readonly string[];
}

/**
 * Creates a collect-metadata VXLAN device: it receives and sends for every VNI and peer, over IPv4 and IPv6 underlays, and learns
 * nothing. It takes datagrams with and without UDP checksum (RFC 7348 §5, RFC 6935). When it exists already, its settings are
 * brought in line. Does not set it up: that is when the port is opened.
 * @throws CodedError NETLINK_CONFLICT when the name is taken by something else, NETLINK_PORT_TAKEN when another VXLAN device of this
 *   namespace has the port; NetlinkError
 */
export function ensureVxlan(socket: NetlinkSocket, device: VxlanDevice): Link {
  const exists = create(socket, device);
  const link = getLink(socket, device.name);
  if (!link) throw portTaken(device);
  if (exists) verify(link, device);
  const change = differingSettings(link, device);
  if (change) setLink(socket, link.index, change);
  for (const name of device.altnames ?? []) if (!link.altnames.includes(name)) addAltname(socket, link.index, name);
  return getLink(socket, link.index) ?? link;
}

/** True when the kernel says that the device, or another one with its port, exists. */
function create(socket: NetlinkSocket, device: VxlanDevice): boolean {
  const data = [
    u8Attribute(IFLA_VXLAN.COLLECT_METADATA, 1),
    u16beAttribute(IFLA_VXLAN.PORT, device.port),
    u8Attribute(IFLA_VXLAN.LEARNING, 0),
    u8Attribute(IFLA_VXLAN.UDP_CSUM, 1),
    u8Attribute(IFLA_VXLAN.ZERO_CSUM6_TX, 1),
    u8Attribute(IFLA_VXLAN.ZERO_CSUM6_RX, 1),
  ];
  const info = [attribute(IFLA_INFO.KIND, 'vxlan'), nested(IFLA_INFO.DATA, ...data)];
  const refused = socket.change({
    type: RTM_LINK.NEW,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    body: Buffer.concat([ifinfo(), attribute(IFLA.NAME, device.name), ...settingAttributes(device), nested(IFLA.LINKINFO, ...info)]),
    what: `create VXLAN device ${device.name} on port ${device.port}`,
    object: device.name,
    tolerate: ['EEXIST'],
  });
  return refused !== undefined;
}

function verify(link: Link, device: VxlanDevice): void {
  const data = link.kind === 'vxlan' ? decodeAttributes(link.data) : new Map();
  const port = first(data, IFLA_VXLAN.PORT)?.readUInt16BE(0);
  const external = first(data, IFLA_VXLAN.COLLECT_METADATA)?.[0] === 1;
  if (port === device.port && external) return;
  const is =
    link.kind === 'vxlan' ? `a VXLAN device on port ${port}${external ? '' : ' without collect metadata'}` : `of kind ${link.kind}`;
  throw new CodedError(NETLINK_CONFLICT, `link ${link.name} exists and is ${is}, wanted is VXLAN on port ${device.port}`, {
    object: link.name,
    action: `Delete it with \`ip link del ${link.name}\`; it is created again with the wanted settings`,
  });
}

function portTaken(device: VxlanDevice): CodedError {
  return new CodedError(NETLINK_PORT_TAKEN, `another VXLAN device has UDP port ${device.port} already`, { object: device.name });
}
