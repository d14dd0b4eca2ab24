import { CodedError, messageOf } from '@isthmus/core';
import { parseMac } from '@isthmus/net';
import { BGP_DISCOVERY } from '../session/transport-errors.ts';
import { errno, libcCalls } from './libc.ts';
import { AF_INET6, sockaddr } from './socket-address.ts';
import { setMulticast } from './socket-options.ts';

const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_ICMPV6 = 58;
/** ICMPv6 types, RFC 4443 §4.1, RFC 4861 §4.1 and §4.2, and how long each message is before its options. */
const ECHO_REQUEST = { type: 128, length: 8, to: 'ff02::1' } as const;
const SOLICITATION = { type: 133, length: 8, to: 'ff02::2' } as const;
const ADVERTISEMENT = { type: 134, length: 16, to: 'ff02::1' } as const;
/** Source Link-Layer Address, RFC 4861 §4.6.1; its length counts units of eight octets. */
const SOURCE_ADDRESS = { type: 1, units: 1 } as const;
/** What came over a router is not believed, RFC 4861 §6.1. */
const HOP_LIMIT = 255;

/** An interface that router discovery speaks on. */
export interface DiscoveryLink {
  readonly device: string;
  /** Ethernet address of it. */
  readonly mac: string;
}

/**
 * Tells neighbours on a link this node's link-local address, in a router advertisement (RFC 4861 §4.2): routers that peer with "the neighbour on
 * this interface" learn it from nothing else. With a lifetime of 0 and no prefixes: nobody takes this node for a default router.
 * @throws CodedError BGP_DISCOVERY
 */
export function advertiseRouter(link: DiscoveryLink): void {
  send(link, ADVERTISEMENT);
}

/**
 * Asks who is on a link: routers for their advertisements (RFC 4861 §4.1), and all for an answer to an echo request. Whoever answers that asks for
 * this node's Ethernet address, and so tells its own: advertisements need not have it, and BIRD's have not.
 * @throws CodedError BGP_DISCOVERY
 */
export function solicitNeighbours(link: DiscoveryLink): void {
  send(link, ECHO_REQUEST);
  send(link, SOLICITATION);
}

/** The socket lives for one message: there is one in ten seconds, and a device may go and come again under its name. */
function send(
  { device, mac }: DiscoveryLink,
  { type, length, to }: typeof ECHO_REQUEST | typeof SOLICITATION | typeof ADVERTISEMENT,
): void {
  const fd = libcCalls.socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMPV6);
  if (fd < 0) throw refusal(device, libcCalls.strerror(errno()));
  try {
    setMulticast(fd, HOP_LIMIT);
    const address = sockaddr(`${to}%${device}`, 0);
    const bytes = message(type, length, mac);
    if (libcCalls.connect(fd, address, address.length) < 0 || libcCalls.send(fd, bytes, bytes.length, 0) < 0)
      throw new Error(libcCalls.strerror(errno()));
  } catch (cause) {
    throw refusal(device, messageOf(cause), cause);
  } finally {
    libcCalls.close(fd);
  }
}

/** All else is zero: no hop limit, flags, lifetime and timers to be told, and no data of an echo that anybody looks at; the kernel fills in the checksum (RFC 3542 §3.1). */
function message(type: number, length: number, mac: string): Uint8Array {
  const source = parseMac(mac);
  if (source === undefined) throw new RangeError(`"${mac}" is no Ethernet address`);
  const out = new Uint8Array(length + SOURCE_ADDRESS.units * 8);
  out[0] = type;
  out.set([SOURCE_ADDRESS.type, SOURCE_ADDRESS.units, ...source.bytes], length);
  return out;
}

function refusal(device: string, why: string, cause?: unknown): CodedError {
  return new CodedError(BGP_DISCOVERY, `no router discovery on ${device}: ${why}`, { object: device, cause });
}
