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
import { attribute, NLM_F, nested } from './message.ts';
import { NETLINK_CONFLICT } from './netlink-error.ts';
import type { NetlinkSocket } from './socket.ts';

const KIND = 'wireguard';

/** A WireGuard device, without what only `wg` sets: keys, ports and peers. */
export interface WireguardLink {
  name: string;
  mtu: number;
  /** Packets that wait for it at most; the device's own number unless given. */
  txQueueLength?: number;
  altnames?: readonly string[];
}

/**
 * Creates a WireGuard device of the kernel's, or takes over the one that is there, with its sessions.
 * @throws NetlinkError NETLINK_UNSUPPORTED where the kernel has no WireGuard; CodedError NETLINK_CONFLICT for a name that something else has
 */
export function ensureWireguard(socket: NetlinkSocket, device: WireguardLink): Link {
  socket.change({
    type: RTM_LINK.NEW,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    body: Buffer.concat([
      ifinfo(),
      attribute(IFLA.NAME, device.name),
      ...settingAttributes({ mtu: device.mtu }),
      nested(IFLA.LINKINFO, attribute(IFLA_INFO.KIND, KIND)),
    ]),
    what: `create WireGuard device ${device.name}`,
    object: device.name,
    tolerate: ['EEXIST'],
  });
  return adoptLink(socket, KIND, device);
}

/** The device of that name, with the settings that it is to have. @throws CodedError NETLINK_CONFLICT when it is of another kind */
export function adoptLink(socket: NetlinkSocket, kind: string, { name, altnames = [], ...settings }: WireguardLink): Link {
  const link = getLink(socket, name);
  if (link?.kind !== kind) {
    throw new CodedError(NETLINK_CONFLICT, `link ${name} is of kind ${link?.kind || 'none'}, wanted is ${kind}`, {
      object: name,
      action: `Delete it with \`ip link del ${name}\`; it is created again with the wanted settings`,
    });
  }
  const change = differingSettings(link, { ...settings, up: true });
  if (change) setLink(socket, link.index, change);
  for (const altname of altnames) if (!link.altnames.includes(altname)) addAltname(socket, link.index, altname);
  return getLink(socket, link.index) ?? link;
}
