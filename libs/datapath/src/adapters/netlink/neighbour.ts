import { addressBytes } from '@isthmus/net';
import { AF, familyNumber, familyOf, ipAttribute, ipText, macAttribute, macText } from './inet.ts';
import { decodeAttributes, first, NLM_F } from './message.ts';
import type { NetlinkSocket } from './socket.ts';

const RTM_NEIGHBOUR = { NEW: 28, DELETE: 29, GET: 30 } as const;
const NDA = { DST: 1, LLADDR: 2 } as const;
const NDMSG_LENGTH = 12;
const NUD_PERMANENT = 0x80;
/** NUD_NONE, NUD_INCOMPLETE and NUD_FAILED: nobody answers there. */
const UNUSABLE: readonly number[] = [0, 0x01, 0x20];
const NTF_ROUTER = 0x80;

/** Which Ethernet address an IP address on a link has. */
export interface Neighbour {
  index: number;
  ip: string;
  mac: string;
}

/**
 * Sets a neighbour entry that the kernel neither asks for nor forgets.
 * @throws NetlinkError, RangeError when an address is malformed
 */
export function replaceNeighbour(socket: NetlinkSocket, neighbour: Neighbour): void {
  socket.change({
    type: RTM_NEIGHBOUR.NEW,
    flags: NLM_F.CREATE | NLM_F.REPLACE,
    body: Buffer.concat([neighbourBody(neighbour), macAttribute(NDA.LLADDR, neighbour.mac)]),
    what: `set neighbour ${neighbour.ip} on link ${neighbour.index}`,
    object: neighbour.ip,
  });
}

/**
 * Removes a neighbour entry; its absence, also the link's, is fine.
 * @returns false when there was none
 * @throws NetlinkError, RangeError when the address is malformed
 */
export function deleteNeighbour(socket: NetlinkSocket, neighbour: Omit<Neighbour, 'mac'>): boolean {
  const refused = socket.change({
    type: RTM_NEIGHBOUR.DELETE,
    body: neighbourBody(neighbour),
    what: `delete neighbour ${neighbour.ip} from link ${neighbour.index}`,
    object: neighbour.ip,
    tolerate: ['ENOENT', 'ENODEV'],
  });
  return refused === undefined;
}

/**
 * Lists the permanent entries, those of {@link replaceNeighbour}, of one link.
 * @throws NetlinkError
 */
export function listNeighbours(socket: NetlinkSocket, index: number): Neighbour[] {
  return listEntries(socket, index).flatMap(({ ip, mac, state }) =>
    state & NUD_PERMANENT && mac !== undefined ? [{ index, ip, mac }] : [],
  );
}

/** A neighbour on a link that has a link-local address. */
export interface LinkLocalNeighbour {
  readonly ip: string;
  /** It says of itself that it routes, RFC 4861 §4.2 and §4.4. */
  readonly router: boolean;
}

/**
 * Lists the link-local addresses on one link that somebody has, as far as the kernel knows: whoever advertised itself, asked for something, or was
 * spoken to. By address.
 * @throws NetlinkError
 */
export function listLinkLocalNeighbours(socket: NetlinkSocket, index: number): LinkLocalNeighbour[] {
  return listEntries(socket, index)
    .filter(({ ip, state }) => /^fe[89ab]/.test(ip) && !UNUSABLE.includes(state))
    .map(({ ip, flags }) => ({ ip, router: (flags & NTF_ROUTER) !== 0 }))
    .sort((a, b) => (a.ip < b.ip ? -1 : 1));
}

interface Entry {
  readonly ip: string;
  readonly mac: string | undefined;
  readonly state: number;
  readonly flags: number;
}

function listEntries(socket: NetlinkSocket, index: number): Entry[] {
  let found: Entry[] = [];
  const take = (payload: Buffer): void => {
    const attributes = decodeAttributes(payload.subarray(NDMSG_LENGTH));
    const [ip, mac] = [first(attributes, NDA.DST), first(attributes, NDA.LLADDR)];
    if (payload.readInt32LE(4) !== index || !familyOf(payload[0]!) || !ip) return;
    found.push({ ip: ipText(ip), mac: mac && macText(mac), state: payload.readUInt16LE(8), flags: payload[10]! });
  };
  const request = { type: RTM_NEIGHBOUR.GET, body: ndmsg(AF.UNSPEC, 0, 0), what: 'list neighbours', object: `link ${index}` };
  socket.dump(request, take, () => {
    found = [];
  });
  return found;
}

function neighbourBody(neighbour: Omit<Neighbour, 'mac'>): Buffer {
  const family = familyNumber(addressBytes(neighbour.ip).family);
  return Buffer.concat([ndmsg(family, neighbour.index, NUD_PERMANENT), ipAttribute(NDA.DST, neighbour.ip)]);
}

/** `struct ndmsg`. */
function ndmsg(family: number, index: number, state: number): Buffer {
  const bytes = Buffer.alloc(NDMSG_LENGTH);
  bytes[0] = family;
  bytes.writeInt32LE(index, 4);
  bytes.writeUInt16LE(state, 8);
  return bytes;
}
