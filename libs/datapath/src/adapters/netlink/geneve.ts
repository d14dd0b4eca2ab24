import type { Link } from './link.ts';
import { attribute, first, u8Attribute, u16beAttribute } from './message.ts';
import type { NetlinkSocket } from './socket.ts';
import { ensureTunnelDevice, type TunnelDevice, type TunnelKind } from './tunnel-device.ts';

/** Attributes of a GENEVE device (linux/if_link.h). */
const IFLA_GENEVE = { PORT: 5, COLLECT_METADATA: 6, UDP_CSUM: 8, ZERO_CSUM6_TX: 9, ZERO_CSUM6_RX: 10 } as const;

/** GENEVE (RFC 8926). */
const GENEVE: TunnelKind = {
  kind: 'geneve',
  title: 'GENEVE',
  create: (port) => [
    attribute(IFLA_GENEVE.COLLECT_METADATA, Buffer.alloc(0)),
    u16beAttribute(IFLA_GENEVE.PORT, port),
    u8Attribute(IFLA_GENEVE.UDP_CSUM, 1),
    u8Attribute(IFLA_GENEVE.ZERO_CSUM6_TX, 1),
    u8Attribute(IFLA_GENEVE.ZERO_CSUM6_RX, 1),
  ],
  read: (data) => ({ port: first(data, IFLA_GENEVE.PORT)?.readUInt16BE(0), external: data.has(IFLA_GENEVE.COLLECT_METADATA) }),
};

/** See {@link ensureTunnelDevice}. Many kernels have no such devices: NETLINK_UNSUPPORTED. */
export function ensureGeneve(socket: NetlinkSocket, device: TunnelDevice): Link {
  return ensureTunnelDevice(socket, GENEVE, device);
}
