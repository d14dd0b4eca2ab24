import { addressBytes } from '@isthmus/net';
import { AF, familyNumber, familyOf, ipAttribute, ipText, macAttribute, macText } from './inet.ts';
import { decodeAttributes, first, NLM_F } from './message.ts';
import type { NetlinkSocket } from './socket.ts';

const RTM_NEIGHBOUR = { NEW: 28, DELETE: 29, GET: 30 } as const;
const NDA = { DST: 1, LLADDR: 2 } as const;
const NDMSG_LENGTH = 12;
const NUD_PERMANENT = 0x80;

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
  let found: Neighbour[] = [];
  const take = (payload: Buffer): void => {
    const attributes = decodeAttributes(payload.subarray(NDMSG_LENGTH));
    const [ip, mac] = [first(attributes, NDA.DST), first(attributes, NDA.LLADDR)];
    const ours = payload.readInt32LE(4) === index && payload.readUInt16LE(8) & NUD_PERMANENT && familyOf(payload[0]!);
    if (ours && ip && mac) found.push({ index, ip: ipText(ip), mac: macText(mac) });
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
