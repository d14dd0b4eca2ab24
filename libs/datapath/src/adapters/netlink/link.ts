import { macAttribute, macText } from './inet.ts';
import { attribute, decodeAttributes, first, inside, nested, textOf, u32Attribute, u32Of, untilNul } from './message.ts';
import type { NetlinkSocket } from './socket.ts';

/** Message types about links (linux/rtnetlink.h). */
export const RTM_LINK = { NEW: 16, DELETE: 17, GET: 18, NEW_PROPERTY: 108 } as const;

/** Attributes of a link (linux/if_link.h). */
export const IFLA = {
  ADDRESS: 1,
  NAME: 3,
  MTU: 4,
  LINK: 5,
  TXQLEN: 13,
  LINKINFO: 18,
  NET_NS_FD: 28,
  LINK_NETNSID: 37,
  PROP_LIST: 52,
  ALT_NAME: 53,
} as const;

/** Attributes inside LINKINFO. */
export const IFLA_INFO = { KIND: 1, DATA: 2 } as const;

const IFINFO_LENGTH = 16;
const IFF_UP = 1;
const IFF_LOWER_UP = 0x10000;

/** A network device as the kernel reports it. */
export interface Link {
  index: number;
  name: string;
  /** `veth`, `vxlan`, …; empty for devices without a kind, such as the loopback. */
  kind: string;
  mtu: number;
  /** Packets that wait for the device at most. */
  txQueueLength: number;
  /** Lower case with colons; empty where there is none. */
  mac: string;
  up: boolean;
  /** There is something at the other end of the cable. False on a device that is not up. */
  carrier: boolean;
  altnames: readonly string[];
  /** For a veth: the peer's index, in the peer's namespace. */
  peerIndex: number | undefined;
  /** For a veth: true when the peer lives in another network namespace. */
  peerElsewhere: boolean;
  /** What the device's kind says about itself, undecoded. */
  data: Buffer;
}

/** What may be set on an existing link; what is left out stays. */
export interface LinkChange {
  up?: boolean;
  mtu?: number;
  mac?: string;
  txQueueLength?: number;
}

/**
 * Finds a link by name (altnames count too) or index.
 * @returns undefined when there is none
 * @throws NetlinkError
 */
export function getLink(socket: NetlinkSocket, link: string | number): Link | undefined {
  const answer = socket.get({
    type: RTM_LINK.GET,
    body: Buffer.concat([ifinfo(typeof link === 'number' ? link : 0), ...nameAttributes(link)]),
    what: `read link ${link}`,
    object: String(link),
    tolerate: ['ENODEV'],
  });
  return answer && decodeLink(answer);
}

/**
 * Lists the links of the namespace.
 * @throws NetlinkError
 */
export function listLinks(socket: NetlinkSocket): Link[] {
  let links: Link[] = [];
  socket.dump(
    { type: RTM_LINK.GET, body: ifinfo(), what: 'list links', object: 'links' },
    (payload) => links.push(decodeLink(Buffer.from(payload))),
    () => {
      links = [];
    },
  );
  return links;
}

/**
 * Sets what is given on a link.
 * @throws NetlinkError ABSENT when there is no such link, PORT_TAKEN when a tunnel cannot open its port
 */
export function setLink(socket: NetlinkSocket, link: string | number, change: LinkChange): void {
  const index = typeof link === 'number' ? link : 0;
  const flags = change.up === undefined ? ifinfo(index) : ifinfo(index, change.up ? IFF_UP : 0, IFF_UP);
  socket.change({
    type: RTM_LINK.NEW,
    body: Buffer.concat([flags, ...nameAttributes(link), ...settingAttributes(change)]),
    what: `set ${JSON.stringify(change)} on link ${link}`,
    object: String(link),
  });
}

/**
 * Deletes a link; its absence is fine. A veth takes its peer along.
 * @returns false when there was none
 * @throws NetlinkError
 */
export function deleteLink(socket: NetlinkSocket, link: string | number): boolean {
  const index = typeof link === 'number' ? link : 0;
  const refused = socket.change({
    type: RTM_LINK.DELETE,
    body: Buffer.concat([ifinfo(index), ...nameAttributes(link)]),
    what: `delete link ${link}`,
    object: String(link),
    tolerate: ['ENODEV'],
  });
  return refused === undefined;
}

/**
 * Gives a link a further name under which `ip` and others find it.
 * @returns false when the name belongs to another link, which keeps it
 * @throws NetlinkError
 */
export function addAltname(socket: NetlinkSocket, index: number, altname: string): boolean {
  const refused = socket.change({
    type: RTM_LINK.NEW_PROPERTY,
    flags: 0x600, // CREATE and EXCL
    body: Buffer.concat([ifinfo(index), nested(IFLA.PROP_LIST, attribute(IFLA.ALT_NAME, altname))]),
    what: `add altname ${altname} to link ${index}`,
    object: altname,
    tolerate: ['EEXIST'],
  });
  return refused === undefined || getLink(socket, altname)?.index === index;
}

/** `struct ifinfomsg`: which link, and which flags to set to what. */
export function ifinfo(index = 0, flags = 0, change = 0): Buffer {
  const bytes = Buffer.alloc(IFINFO_LENGTH);
  bytes.writeInt32LE(index, 4);
  bytes.writeUInt32LE(flags, 8);
  bytes.writeUInt32LE(change, 12);
  return bytes;
}

/** Attributes for the settings that are given. */
export function settingAttributes(change: LinkChange): Buffer[] {
  return [
    ...(change.mtu === undefined ? [] : [u32Attribute(IFLA.MTU, change.mtu)]),
    ...(change.mac === undefined ? [] : [macAttribute(IFLA.ADDRESS, change.mac)]),
    ...(change.txQueueLength === undefined ? [] : [u32Attribute(IFLA.TXQLEN, change.txQueueLength)]),
  ];
}

/** What is wanted of a link and is not so; undefined when nothing differs. */
export function differingSettings(link: Link, wanted: LinkChange): LinkChange | undefined {
  const change: LinkChange = {
    ...(wanted.mtu !== undefined && wanted.mtu !== link.mtu ? { mtu: wanted.mtu } : {}),
    ...(wanted.mac !== undefined && wanted.mac.toLowerCase() !== link.mac ? { mac: wanted.mac } : {}),
    ...(wanted.txQueueLength !== undefined && wanted.txQueueLength !== link.txQueueLength ? { txQueueLength: wanted.txQueueLength } : {}),
    ...(wanted.up !== undefined && wanted.up !== link.up ? { up: wanted.up } : {}),
  };
  return Object.keys(change).length > 0 ? change : undefined;
}

/** Names of up to 15 bytes are asked for as names, longer ones as altnames: the kernel looks both up in one table. */
function nameAttributes(link: string | number): Buffer[] {
  if (typeof link === 'number') return [];
  return [attribute(Buffer.byteLength(link) < 16 ? IFLA.NAME : IFLA.ALT_NAME, link)];
}

function decodeLink(payload: Buffer): Link {
  const attributes = decodeAttributes(payload.subarray(IFINFO_LENGTH));
  const info = inside(attributes, IFLA.LINKINFO);
  const kind = textOf(info, IFLA_INFO.KIND) ?? '';
  return {
    index: payload.readInt32LE(4),
    name: textOf(attributes, IFLA.NAME) ?? '',
    kind,
    mtu: u32Of(attributes, IFLA.MTU) ?? 0,
    txQueueLength: u32Of(attributes, IFLA.TXQLEN) ?? 0,
    mac: macText(first(attributes, IFLA.ADDRESS) ?? Buffer.alloc(0)),
    up: (payload.readUInt32LE(8) & IFF_UP) !== 0,
    carrier: (payload.readUInt32LE(8) & IFF_LOWER_UP) !== 0,
    altnames: (inside(attributes, IFLA.PROP_LIST).get(IFLA.ALT_NAME) ?? []).map(untilNul),
    peerIndex: kind === 'veth' ? u32Of(attributes, IFLA.LINK) : undefined,
    peerElsewhere: attributes.has(IFLA.LINK_NETNSID),
    data: Buffer.from(first(info, IFLA_INFO.DATA) ?? Buffer.alloc(0)),
  };
}
