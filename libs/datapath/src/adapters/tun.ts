import { errnoName } from './errno-name.ts';
import { errno, libcCalls } from './libc.ts';
import { getLink, type Link } from './netlink/link.ts';
import { NetlinkError } from './netlink/netlink-error.ts';
import type { NetlinkSocket } from './netlink/socket.ts';
import { adoptLink, type WireguardLink } from './netlink/wireguard.ts';

const O_RDWR_CLOEXEC = 2 | 0o2000000;
/** `struct ifreq`, of which a TUN device needs the name and the flags. */
const IFREQ_BYTES = 40;
const IFREQ_FLAGS_AT = 16;
const IFF_TUN_NO_PI = 0x0001 | 0x1000;
const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;

/**
 * Creates a TUN device that stays when the process that serves it ends, with its number and its programs: then nobody takes its packets, and they
 * are lost rather than sent by another way. One that is there is taken over.
 * @throws NetlinkError; CodedError NETLINK_CONFLICT for a name that something else has
 */
export function ensureTun(socket: NetlinkSocket, device: WireguardLink): Link {
  if (getLink(socket, device.name) === undefined) create(device.name);
  return adoptLink(socket, 'tun', device);
}

function create(name: string): void {
  const fd = checked(libcCalls.open('/dev/net/tun', O_RDWR_CLOEXEC), name);
  try {
    const request = Buffer.alloc(IFREQ_BYTES);
    request.write(name, 'latin1');
    request.writeUInt16LE(IFF_TUN_NO_PI, IFREQ_FLAGS_AT);
    checked(libcCalls.ioctlWith(fd, TUNSETIFF, request), name);
    checked(libcCalls.ioctlNumber(fd, TUNSETPERSIST, 1), name);
  } finally {
    libcCalls.close(fd);
  }
}

function checked(answer: number, name: string): number {
  if (answer < 0) throw new NetlinkError(errno(), `create TUN device ${name}`, name, errnoName(errno()));
  return answer;
}
