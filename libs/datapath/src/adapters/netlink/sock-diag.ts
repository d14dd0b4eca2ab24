import { type Family, Ip } from '@isthmus/net';
import { AF, familyNumber } from './inet.ts';
import type { NetlinkSocket } from './socket.ts';

const SOCK_DIAG_BY_FAMILY = 20;
const SOCK_DESTROY = 21;
const REQUEST_LENGTH = 56;
const PROTOCOLS = { tcp: 6, udp: 17 } as const;
/** Where `struct inet_diag_sockid` (48 bytes) lies in a request and in an answer. */
const REQUEST_ID = 8;
const ANSWER_ID = 4;
const ID_LENGTH = 48;
const ALL_STATES = 0xffffffff;
const TCP_LISTEN = 10;
const TCP_CLOSE = 7;
const TCP_TIME_WAIT = 6;

/** Transport protocols whose sockets can be listed and closed. */
export type SocketProtocol = keyof typeof PROTOCOLS;

/** Where a socket is connected to. */
export interface SocketDestination {
  protocol: SocketProtocol;
  /** Canonical text; an IPv4 address also matches IPv6 sockets that are connected to its v4-mapped form. */
  ip: string;
  port: number;
}

/** A connected socket of one network namespace. */
export interface ConnectedSocket extends SocketDestination {
  /** Family of the socket itself; 6 for one that is connected to a v4-mapped address. */
  family: Family;
  source: string;
  sourcePort: number;
  /** The number that the kernel and BPF programs know the socket by; never used twice until reboot. */
  cookie: bigint;
  /** Inode of the socket's file; 0 when no process has it open any more. */
  inode: number;
  /** `struct inet_diag_sockid`, which is how the kernel finds it again. */
  id: Buffer;
}

/**
 * Lists the connected sockets of the socket's network namespace that `match` takes. `ip` and `source` are unmapped.
 * @throws NetlinkError UNSUPPORTED where the kernel has no socket diagnosis for the protocol
 */
export function connectedSockets(
  diag: NetlinkSocket,
  protocol: SocketProtocol,
  match: (socket: SocketDestination) => boolean,
): ConnectedSocket[] {
  return ([4, 6] as const).flatMap((family) => listFamily(diag, protocol, family, match));
}

/**
 * Lists the sockets that are connected to one destination.
 * @throws NetlinkError
 */
export function socketsTo(diag: NetlinkSocket, { protocol, ip, port }: SocketDestination): ConnectedSocket[] {
  return connectedSockets(diag, protocol, (socket) => socket.port === port && socket.ip === ip);
}

/**
 * Closes a socket under its owner, who gets ECONNABORTED from the next call. A socket that is gone, or whose cookie is another one's,
 * is fine.
 * @returns false when it was gone
 * @throws NetlinkError UNSUPPORTED on kernels without CONFIG_INET_DIAG_DESTROY
 */
export function destroySocket(diag: NetlinkSocket, socket: ConnectedSocket): boolean {
  const name = `${socket.protocol} ${socket.source}:${socket.sourcePort} to ${socket.ip}:${socket.port}`;
  const refused = diag.change({
    type: SOCK_DESTROY,
    body: diagRequest(socket.family, socket.protocol, socket.id),
    what: `close socket ${name}`,
    object: name,
    tolerate: ['ENOENT', 'ESTALE'],
  });
  return refused === undefined;
}

function listFamily(
  diag: NetlinkSocket,
  protocol: SocketProtocol,
  family: Family,
  match: (socket: SocketDestination) => boolean,
): ConnectedSocket[] {
  let found: ConnectedSocket[] = [];
  const take = (payload: Buffer): void => {
    const destination = { protocol, ip: addressAt(payload, family, 24), port: payload.readUInt16BE(ANSWER_ID + 2) };
    if (match(destination)) found.push(decodeSocket(payload, family, destination));
  };
  const request = {
    type: SOCK_DIAG_BY_FAMILY,
    body: diagRequest(family, protocol),
    what: `list ${protocol} sockets over IPv${family}`,
    object: protocol,
  };
  diag.dump(request, take, () => {
    found = [];
  });
  return found;
}

/** `struct inet_diag_req_v2`; without an id it asks for every connected socket. */
function diagRequest(family: Family, protocol: SocketProtocol, id?: Buffer): Buffer {
  const bytes = Buffer.alloc(REQUEST_LENGTH);
  bytes[0] = familyNumber(family);
  bytes[1] = PROTOCOLS[protocol];
  // An unconnected UDP socket is in state CLOSE; listeners and closed TCP sockets have no destination either.
  bytes.writeUInt32LE((ALL_STATES & ~((1 << TCP_LISTEN) | (1 << TCP_CLOSE) | (1 << TCP_TIME_WAIT))) >>> 0, 4);
  id?.copy(bytes, REQUEST_ID);
  return bytes;
}

function decodeSocket(payload: Buffer, family: Family, destination: SocketDestination): ConnectedSocket {
  const id = Buffer.from(payload.subarray(ANSWER_ID, ANSWER_ID + ID_LENGTH));
  return {
    ...destination,
    family,
    source: addressAt(payload, family, 8),
    sourcePort: id.readUInt16BE(0),
    cookie: id.readBigUInt64LE(40),
    inode: payload.readUInt32LE(68),
    id,
  };
}

/** The address at an offset of `struct inet_diag_msg`: 16 bytes, of which IPv4 uses four. */
function addressAt(payload: Buffer, family: Family, offset: number): string {
  const bytes = payload.subarray(offset, offset + (familyNumber(family) === AF.INET ? 4 : 16));
  return new Ip(family, bytes).unmap().toString();
}
