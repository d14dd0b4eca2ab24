import { CodedError } from '@isthmus/core';
import { closeNetns, openNetns } from '../netns.ts';
import {
  addAltname,
  differingSettings,
  getLink,
  IFLA,
  IFLA_INFO,
  ifinfo,
  type Link,
  RTM_LINK,
  setLink,
  settingAttributes,
} from './link.ts';
import { attribute, NLM_F, nested, u32Attribute } from './message.ts';
import { NETLINK_CONFLICT } from './netlink-error.ts';
import { NetlinkSocket } from './socket.ts';

const VETH_INFO_PEER = 1;

/** One end of a veth pair. */
export interface VethEnd {
  name: string;
  mtu?: number;
  mac?: string;
  /** Further names; one that belongs to another link is left to it. */
  altnames?: readonly string[];
}

/** A pair: the near end in the socket's namespace, the peer in the same or in another one. */
export interface VethPair {
  near: VethEnd;
  /** The peer, and the namespace (file or descriptor) it is born in; the socket's own unless given. */
  peer: VethEnd & { netns?: string | number };
}

/**
 * Creates a veth pair, both ends with their final names and addresses in their final namespaces: neither is ever seen half made.
 * When the pair exists already, its settings are brought in line. Does not set the ends up.
 * @returns the near end
 * @throws CodedError NETLINK_CONFLICT when either name is taken by something else; NETNS_MISSING; NetlinkError
 */
export function ensureVeth(socket: NetlinkSocket, pair: VethPair): Link {
  const fd = typeof pair.peer.netns === 'string' ? openNetns(pair.peer.netns) : pair.peer.netns;
  try {
    if (create(socket, pair, fd)) verify(socket, pair, fd);
    const near = settle(socket, pair.near);
    withPeer(socket, fd, (other) => settle(other, pair.peer));
    return near;
  } finally {
    if (fd !== undefined && typeof pair.peer.netns === 'string') closeNetns(fd);
  }
}

/** True when one of the two names exists already. */
function create(socket: NetlinkSocket, pair: VethPair, fd: number | undefined): boolean {
  const peer = [ifinfo(), ...endAttributes(pair.peer), ...(fd === undefined ? [] : [u32Attribute(IFLA.NET_NS_FD, fd)])];
  const info = [attribute(IFLA_INFO.KIND, 'veth'), nested(IFLA_INFO.DATA, nested(VETH_INFO_PEER, ...peer))];
  const refused = socket.change({
    type: RTM_LINK.NEW,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    body: Buffer.concat([ifinfo(), ...endAttributes(pair.near), nested(IFLA.LINKINFO, ...info)]),
    what: `create veth ${pair.near.name} with peer ${pair.peer.name}`,
    object: pair.near.name,
    tolerate: ['EEXIST'],
  });
  return refused !== undefined;
}

function verify(socket: NetlinkSocket, pair: VethPair, fd: number | undefined): void {
  const near = getLink(socket, pair.near.name);
  if (!near) throw conflict(pair.peer.name, `the peer's name ${pair.peer.name} is taken in its namespace`);
  const peer = withPeer(socket, fd, (other) => getLink(other, pair.peer.name));
  if (near.kind !== 'veth') throw conflict(near.name, `link ${near.name} exists and is ${near.kind || 'no'} veth`);
  if (peer?.kind === 'veth' && peer.peerIndex === near.index && near.peerIndex === peer.index) return;
  throw conflict(near.name, `veth ${near.name} exists and its peer is not ${pair.peer.name} in the wanted namespace`);
}

function conflict(name: string, message: string): CodedError {
  return new CodedError(NETLINK_CONFLICT, message, { object: name });
}

/** Brings one end in line and answers it as it then is. */
function settle(socket: NetlinkSocket, end: VethEnd): Link {
  const link = getLink(socket, end.name);
  if (!link) throw conflict(end.name, `link ${end.name} vanished while it was being set up`);
  const change = differingSettings(link, end);
  if (change) setLink(socket, link.index, change);
  const missing = (end.altnames ?? []).filter((name) => !link.altnames.includes(name));
  for (const name of missing) addAltname(socket, link.index, name);
  return change || missing.length > 0 ? (getLink(socket, link.index) ?? link) : link;
}

function withPeer<T>(socket: NetlinkSocket, fd: number | undefined, fn: (socket: NetlinkSocket) => T): T {
  return fd === undefined ? fn(socket) : NetlinkSocket.using('route', fd, fn);
}

function endAttributes(end: VethEnd): Buffer[] {
  return [attribute(IFLA.NAME, end.name), ...settingAttributes(end)];
}
