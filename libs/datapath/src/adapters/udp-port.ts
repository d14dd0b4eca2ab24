import { errnoName } from './errno-name.ts';
import { errno, libcCalls } from './libc.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/**
 * Whether no socket of this network namespace, the kernel's own among them, has a UDP port: by taking it, for a moment, in both families.
 */
export function isUdpPortFree(port: number): boolean {
  return [ipv4Address(port), ipv6Address(port)].every(canBind);
}

function canBind(address: Buffer): boolean {
  const family = address.readUInt16LE(0);
  const fd = libcCalls.socket(family, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) return true; // The kernel does not have the family: nobody can have a port of it.
  try {
    if (family === AF_INET6) libcCalls.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, Buffer.from([1, 0, 0, 0]), 4);
    return libcCalls.bind(fd, address, address.length) === 0 || errnoName(errno()) !== 'EADDRINUSE';
  } finally {
    libcCalls.close(fd);
  }
}

/** `struct sockaddr_in` of any address. */
function ipv4Address(port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  return bytes;
}

/** `struct sockaddr_in6` of any address. */
function ipv6Address(port: number): Buffer {
  const bytes = Buffer.alloc(28);
  bytes.writeUInt16LE(AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  return bytes;
}
