import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import { CodedError, messageOf } from '@isthmus/core';
import { Ip, parseIp } from '@isthmus/net';
import type { BgpConnection, BgpEndpoint, BgpListener, BgpTransport, ConnectOptions, ListenerPeer } from '../session/bgp-transport.ts';
import { BGP_CONNECT, BGP_LISTEN } from '../session/transport-errors.ts';
import { errno, libcCalls } from './libc.ts';
import { AF_INET, AF_INET6, peerNetwork, sockaddr, zonedAddress } from './socket-address.ts';
import { setListening, setMd5, setMinTtl, setTtl } from './socket-options.ts';
import { TcpConnection } from './tcp-connection.ts';

/** What Linux sends with unless told otherwise. */
const DEFAULT_TTL = 64;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

/**
 * TCP over Linux with TCP-MD5 (RFC 2385) and GTSM (RFC 5082). Sockets are made and given their options by the C library, because both must be
 * there before the first packet; then Node adopts the descriptor, connects and reads it like any other.
 */
export const tcpTransport: BgpTransport = { connect, listen };

function openSocket(family: 4 | 6): number {
  const fd = libcCalls.socket(family === 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new Error(`no socket: ${libcCalls.strerror(errno())}`);
  return fd;
}

/** A socket with its options set; closed again when one is refused. */
function preparedSocket(family: 4 | 6, prepare: (fd: number) => void): number {
  const fd = openSocket(family);
  try {
    prepare(fd);
    return fd;
  } catch (error) {
    libcCalls.close(fd);
    throw error;
  }
}

async function connect(options: ConnectOptions, signal: AbortSignal): Promise<BgpConnection> {
  signal.throwIfAborted();
  const { remote, localAddress, password, ttl, minTtl } = options;
  const { family } = zonedAddress(remote.address);
  const fd = preparedSocket(family, (fd) => {
    if (password !== undefined) setMd5(fd, remote.address, password);
    if (ttl !== undefined) setTtl(fd, family, ttl);
    if (minTtl !== undefined) setMinTtl(fd, family, minTtl);
  });
  // With manualStart Node does not read an unconnected socket; connect() then uses the descriptor that is there.
  const socket = new Socket({ fd, manualStart: true } as { fd: number });
  socket.pause();
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      socket.destroy();
      const to = `${remote.address} port ${remote.port}`;
      reject(new CodedError(BGP_CONNECT, `no connection to ${to}: ${messageOf(cause)}`, { object: remote.address, cause }));
    };
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', (error) => {
      signal.removeEventListener('abort', onAbort);
      fail(error);
    });
    socket.connect({ host: remote.address, port: remote.port, family, ...(localAddress === undefined ? {} : { localAddress }) }, () => {
      signal.removeEventListener('abort', onAbort);
      if (!signal.aborted) resolve(new TcpConnection(socket));
    });
  });
}

async function listen(
  local: BgpEndpoint,
  peers: readonly ListenerPeer[],
  onConnection: (connection: BgpConnection) => void,
): Promise<BgpListener> {
  const { family } = zonedAddress(local.address);
  const refuse = (why: string): CodedError =>
    new CodedError(BGP_LISTEN, `cannot listen on ${local.address} port ${local.port}: ${why}`, { object: local.address });
  const fd = preparedSocket(family, (fd) => {
    setListening(fd, family);
    const address = sockaddr(local.address, local.port);
    if (libcCalls.bind(fd, address, address.length) < 0) throw refuse(libcCalls.strerror(errno()));
    for (const { address, password } of peers)
      if (password !== undefined && peerNetwork(address).family === family) setMd5(fd, address, password);
  });
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(refuse(error.message)));
    server.listen({ fd }, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', () => {}); // accept(2) failing once, of descriptors for instance, is not the end of the listener.
  const listener = new TcpListener(server, { fd, family, onConnection });
  for (const peer of peers) listener.setPeer(peer);

  return listener;
}

interface Listening {
  readonly fd: number;
  readonly family: 4 | 6;
  readonly onConnection: (connection: BgpConnection) => void;
}

class TcpListener implements BgpListener {
  readonly local: BgpEndpoint;
  readonly #server: Server;
  readonly #listening: Listening;
  readonly #peers = new Map<string, ListenerPeer>();

  constructor(server: Server, listening: Listening) {
    this.#server = server;
    this.#listening = listening;
    const { address, port } = server.address() as AddressInfo;
    this.local = { address, port };
    server.on('connection', (socket) => this.#accept(socket));
  }

  setPeer(peer: ListenerPeer): void {
    const { fd, family } = this.#listening;
    if (peerNetwork(peer.address).family !== family) return; // It will never connect here.
    const had = this.#peers.get(peer.address);
    if (peer.password !== had?.password) setMd5(fd, peer.address, peer.password);
    this.#peers.set(peer.address, peer);
    this.#setAnswerTtl();
  }

  removePeer(address: string): void {
    const had = this.#peers.get(address);
    if (had === undefined) return;
    this.#peers.delete(address);
    if (had.password !== undefined) setMd5(this.#listening.fd, address, undefined);
    this.#setAnswerTtl();
  }

  /** Connections that were handed out live on; Node would wait for them. */
  async close(): Promise<void> {
    this.#server.close();
  }

  /** The SYN-ACK leaves with the listener's TTL, whoever it goes to: the greatest that any peer wants. */
  #setAnswerTtl(): void {
    const wanted = [...this.#peers.values()].map(({ ttl }) => ttl ?? DEFAULT_TTL);
    setTtl(this.#listening.fd, this.#listening.family, wanted.length === 0 ? DEFAULT_TTL : Math.max(...wanted));
  }

  #accept(socket: Socket): void {
    const connection = new TcpConnection(socket);
    const peer = this.#peerOf(connection.remote.address);
    // Node has no public way to the descriptor of an accepted socket; TTLs differ by peer, so the listener cannot carry them.
    const fd = (socket as unknown as { _handle?: { fd: number } })._handle?.fd;
    if (fd === undefined) {
      connection.destroy();
      return;
    }
    setTtl(fd, this.#listening.family, peer?.ttl ?? DEFAULT_TTL); // not the listener's, which it came with
    if (peer?.minTtl !== undefined) setMinTtl(fd, this.#listening.family, peer.minTtl);
    this.#listening.onConnection(connection);
  }

  /** What was set for the address itself, else for the longest network around it. */
  #peerOf(address: string): ListenerPeer | undefined {
    const exact = this.#peers.get(address);
    const ip = parseIp(address.replace(/%.*$/, ''));
    if (exact !== undefined || ip === undefined) return exact;
    const fits = [...this.#peers.values()].filter((peer) => peerNetwork(peer.address).contains(new Ip(ip.family, ip.bytes)));
    return fits.sort((a, b) => peerNetwork(b.address).length - peerNetwork(a.address).length)[0];
  }
}
