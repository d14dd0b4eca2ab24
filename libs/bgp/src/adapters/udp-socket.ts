import { CodedError } from '@isthmus/core';
import { BFD_SOCKET } from '../bfd/bfd-errors.ts';
import { errno, libcCalls } from './libc.ts';
import { AF_INET, AF_INET6, sockaddr } from './socket-address.ts';
import { setDevice, setOnlyOwnFamily } from './socket-options.ts';

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

/** Where a UDP socket is to be. */
export interface UdpPlace {
  readonly local: string;
  readonly interface?: string | undefined;
}

/** Family of an address, by how it is written. */
export function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

/**
 * Makes a UDP socket; `prepare` sets its options, and binds it.
 * @returns the descriptor, which is the caller's to close
 * @throws what `prepare` throws, with the socket closed
 */
export function openUdpSocket({ local, interface: device }: UdpPlace, prepare: (fd: number, family: 4 | 6) => void): number {
  const family = familyOf(local);
  const fd = libcCalls.socket(family === 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new CodedError(BFD_SOCKET, `no socket: ${libcCalls.strerror(errno())}`);
  try {
    setOnlyOwnFamily(fd, family);
    if (device !== undefined) setDevice(fd, device);
    prepare(fd, family);
    return fd;
  } catch (error) {
    libcCalls.close(fd);
    throw error;
  }
}

/** Binds to a port of the place's address. @returns 0, or the number of the error */
export function bindUdp(fd: number, place: UdpPlace, port: number): number {
  const address = socketAddress(place.local, place.interface, port);
  return libcCalls.bind(fd, address, address.length) === 0 ? 0 : errno();
}

/** `struct sockaddr` of an address; of a link-local one with its interface. */
export function socketAddress(address: string, device: string | undefined, port: number): Uint8Array {
  const zoned = device !== undefined && /^fe[89ab]/i.test(address) ? `${address}%${device}` : address;
  return sockaddr(zoned, port);
}
