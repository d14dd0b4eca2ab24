import type { Link } from './link.ts';
import { first, u8Attribute, u16beAttribute } from './message.ts';
import type { NetlinkSocket } from './socket.ts';
import { ensureTunnelDevice, type TunnelDevice, type TunnelKind } from './tunnel-device.ts';

/** Attributes of a VXLAN device (linux/if_link.h). */
const IFLA_VXLAN = { LEARNING: 7, PORT: 15, UDP_CSUM: 18, ZERO_CSUM6_TX: 19, ZERO_CSUM6_RX: 20, COLLECT_METADATA: 25 } as const;

/** VXLAN (RFC 7348). The device learns nothing. */
const VXLAN: TunnelKind = {
  kind: 'vxlan',
  title: 'VXLAN',
  create: (port) => [
    u8Attribute(IFLA_VXLAN.COLLECT_METADATA, 1),
    u16beAttribute(IFLA_VXLAN.PORT, port),
    u8Attribute(IFLA_VXLAN.LEARNING, 0),
    u8Attribute(IFLA_VXLAN.UDP_CSUM, 1),
    u8Attribute(IFLA_VXLAN.ZERO_CSUM6_TX, 1),
    u8Attribute(IFLA_VXLAN.ZERO_CSUM6_RX, 1),
  ],
  read: (data) => ({
    port: first(data, IFLA_VXLAN.PORT)?.readUInt16BE(0),
    external: first(data, IFLA_VXLAN.COLLECT_METADATA)?.[0] === 1,
  }),
};

/** See {@link ensureTunnelDevice}. */
export function ensureVxlan(socket: NetlinkSocket, device: TunnelDevice): Link {
  return ensureTunnelDevice(socket, VXLAN, device);
}
