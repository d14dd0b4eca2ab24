import { defineError } from '@isthmus/core';

/** The TCP connection to a peer could not be made. */
export const BGP_CONNECT = defineError(
  'BGP_CONNECT',
  'The TCP connection to a BGP peer could not be made.',
  'Check that the peer runs and listens, that it knows this address, and that a password, if any, is the same on both sides: with a wrong one the peer seems not to answer.',
);

/** The listening socket could not be opened. */
export const BGP_LISTEN = defineError(
  'BGP_LISTEN',
  'The address or port that BGP peers connect to could not be had.',
  'Check that no other routing daemon holds the port and that the address is one of this machine; ports below 1024 need the right to bind them.',
);

/** An option of a socket was refused. */
export const BGP_SOCKET = defineError(
  'BGP_SOCKET',
  'The kernel refused an option of a BGP socket.',
  'The message names it. TCP-MD5 needs a kernel with CONFIG_TCP_MD5SIG.',
);

/** A password that TCP-MD5 cannot use. */
export const BGP_PASSWORD = defineError(
  'BGP_PASSWORD',
  'The password of a BGP peer is empty or longer than 80 bytes. No unsigned session is made instead.',
  'Give a password of 1 to 80 bytes, or none at all for a session without TCP-MD5.',
);

/** An address that is none. */
export const BGP_ADDRESS = defineError(
  'BGP_ADDRESS',
  'An address of a BGP peer or listener cannot be read, or its zone is no interface of this machine.',
  'Write IPv4 or IPv6 addresses; a link-local one needs its interface behind a percent sign, as in fe80::1%eth0.',
);

/** Neighbours on a link could not be told of this node, or asked who they are. */
export const BGP_DISCOVERY = defineError(
  'BGP_DISCOVERY',
  'Router discovery did not work on an interface whose neighbour is to be a BGP peer.',
  'Check that the interface is there and up, that it has an IPv6 link-local address, and that the process may open raw sockets (CAP_NET_RAW).',
);
