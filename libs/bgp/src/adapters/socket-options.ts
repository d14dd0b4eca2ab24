import { CodedError } from '@isthmus/core';
import { BGP_PASSWORD, BGP_SOCKET } from '../session/transport-errors.ts';
import { errno, libcCalls } from './libc.ts';
import { peerNetwork, sockaddr } from './socket-address.ts';

const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_RCVBUF = 8;
const SO_BINDTODEVICE = 25;
const SO_ATTACH_FILTER = 26;
const SO_MEMINFO = 55;
/** Which of the numbers of SO_MEMINFO counts dropped packets: SK_MEMINFO_DROPS of linux/sock_diag.h, and how many there are. */
const MEMINFO = { drops: 8, count: 9 } as const;
/** Sizes of `struct sock_filter` and `struct sock_fprog`, linux/filter.h. */
const [FILTER_INSTRUCTION, FILTER_PROGRAM] = [8, 16];
const IP_TOS = 1;
const IPV6_TCLASS = 67;
const IPPROTO_IP = 0;
const IP_TTL = 2;
const IP_MINTTL = 21;
const IPPROTO_TCP = 6;
const TCP_MD5SIG = 14;
const TCP_MD5SIG_EXT = 32;
const IPPROTO_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_V6ONLY = 26;
const IPV6_MINHOPCOUNT = 73;

/** Longest TCP-MD5 key in bytes, TCP_MD5SIG_MAXKEYLEN of linux/tcp.h. */
const MAX_KEY = 80;
/** Where `struct tcp_md5sig` of linux/tcp.h has its fields, in bytes; the address takes the first 128. */
const MD5SIG = { flags: 128, prefixLength: 129, keyLength: 130, key: 136, size: 216 } as const;
/** TCP_MD5SIG_FLAG_PREFIX: the prefix length counts. */
const FLAG_PREFIX = 1;

/**
 * Bytes of a TCP-MD5 key (RFC 2385).
 * @throws CodedError BGP_PASSWORD when it is empty or too long: an unsigned session instead would be a surprise
 */
export function md5Key(password: string, peer: string): Uint8Array {
  const key = new TextEncoder().encode(password);
  if (key.length > 0 && key.length <= MAX_KEY) return key;
  const wrong = key.length === 0 ? 'is empty' : `has ${key.length} bytes, ${MAX_KEY} at most are possible`;
  throw new CodedError(BGP_PASSWORD, `the password of ${peer} ${wrong}`, { object: peer });
}

/** Sets the TCP-MD5 key of a peer or of all peers of a network on a socket; removes it when there is no password. */
export function setMd5(fd: number, peer: string, password: string | undefined): void {
  const network = peerNetwork(peer);
  const key = password === undefined ? new Uint8Array(0) : md5Key(password, peer);
  const whole = network.length === (network.family === 4 ? 32 : 128);
  const value = new Uint8Array(MD5SIG.size);
  value.set(sockaddr(peer.includes('/') ? network.address.toString() : peer, 0));
  value[MD5SIG.flags] = whole ? 0 : FLAG_PREFIX;
  value[MD5SIG.prefixLength] = whole ? 0 : network.length;
  new DataView(value.buffer).setUint16(MD5SIG.keyLength, key.length, true);
  value.set(key, MD5SIG.key);
  setOption(fd, { level: IPPROTO_TCP, option: whole ? TCP_MD5SIG : TCP_MD5SIG_EXT, value, name: `the TCP-MD5 key of ${peer}` });
}

/** Sets the TTL that packets leave with; RFC 5082 wants 255. */
export function setTtl(fd: number, family: 4 | 6, ttl: number): void {
  if (family === 4) setNumber(fd, IPPROTO_IP, IP_TTL, ttl, 'IP_TTL');
  else setNumber(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl, 'IPV6_UNICAST_HOPS');
}

/** Has the kernel drop packets that arrive with a lower TTL, RFC 5082 §3. 0 takes all. */
export function setMinTtl(fd: number, family: 4 | 6, ttl: number): void {
  if (family === 4) setNumber(fd, IPPROTO_IP, IP_MINTTL, ttl, 'IP_MINTTL');
  else setNumber(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, ttl, 'IPV6_MINHOPCOUNT');
}

/** Has IPv6 multicast leave with a hop limit, and not come back to this node. */
export function setMulticast(fd: number, hops: number): void {
  setNumber(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops, 'IPV6_MULTICAST_HOPS');
  setNumber(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, 'IPV6_MULTICAST_LOOP');
}

/** Lets a listener have its port again while old connections of it linger, and an IPv6 one leave IPv4 to others. */
export function setListening(fd: number, family: 4 | 6): void {
  setNumber(fd, SOL_SOCKET, SO_REUSEADDR, 1, 'SO_REUSEADDR');
  if (family === 6) setNumber(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, 'IPV6_V6ONLY');
}

/** Leaves the port to IPv4 sockets on an IPv6 one. */
export function setOnlyOwnFamily(fd: number, family: 4 | 6): void {
  if (family === 6) setNumber(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, 'IPV6_V6ONLY');
}

/** Sets the traffic class that packets leave with: the whole octet, DSCP and ECN. */
export function setTrafficClass(fd: number, family: 4 | 6, octet: number): void {
  if (family === 4) setNumber(fd, IPPROTO_IP, IP_TOS, octet, 'IP_TOS');
  else setNumber(fd, IPPROTO_IPV6, IPV6_TCLASS, octet, 'IPV6_TCLASS');
}

/** Has the socket send and receive on one device only. */
export function setDevice(fd: number, name: string): void {
  setOption(fd, { level: SOL_SOCKET, option: SO_BINDTODEVICE, value: new TextEncoder().encode(name), name: `the device to ${name}` });
}

/** Asks for room for received packets, in bytes; the kernel gives no more than net.core.rmem_max. */
export function setReceiveBuffer(fd: number, bytes: number): void {
  setNumber(fd, SOL_SOCKET, SO_RCVBUF, bytes, 'SO_RCVBUF');
}

/** Has the kernel ask a classic BPF program which packets the socket takes; replaces the one before in one step. */
export function setFilter(fd: number, program: Uint8Array): void {
  const value = { count: program.length / FILTER_INSTRUCTION, program };
  if (libcCalls.setFilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, value, FILTER_PROGRAM) === 0) return;
  throw new CodedError(BGP_SOCKET, `could not set the packet filter: ${libcCalls.strerror(errno())}`);
}

/** Packets that the kernel dropped at the socket: by its filter, or because it was full. 0 when it does not tell. */
export function droppedPackets(fd: number): number {
  const numbers = new Uint32Array(MEMINFO.count);
  const length = Uint32Array.of(numbers.byteLength);
  const failed = libcCalls.getsockopt(fd, SOL_SOCKET, SO_MEMINFO, new Uint8Array(numbers.buffer), new Uint8Array(length.buffer)) !== 0;
  return failed ? 0 : (numbers[MEMINFO.drops] ?? 0);
}

function setNumber(fd: number, level: number, option: number, value: number, name: string): void {
  setOption(fd, { level, option, value: new Uint8Array(Int32Array.of(value).buffer), name: `${name} to ${value}` });
}

function setOption(fd: number, { level, option, value, name }: { level: number; option: number; value: Uint8Array; name: string }): void {
  if (libcCalls.setsockopt(fd, level, option, value, value.length) === 0) return;
  throw new CodedError(BGP_SOCKET, `could not set ${name}: ${libcCalls.strerror(errno())}`);
}
