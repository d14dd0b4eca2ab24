import { AF, familyNumber, familyOf, ipAttribute, ipText, readPrefix } from './inet.ts';
import { decodeAttributes, first, NLM_F, u32Attribute } from './message.ts';
import type { NetlinkSocket } from './socket.ts';

const RTM_ADDRESS = { NEW: 20, DELETE: 21, GET: 22 } as const;
const IFA = { ADDRESS: 1, LOCAL: 2, FLAGS: 8 } as const;
const IFADDR_LENGTH = 8;
const IFA_F_NODAD = 0x02;
const IFA_F_NOPREFIXROUTE = 0x200;

/** How an address is put on a link. */
export interface AddressOptions {
  /** True: the kernel makes no route to the address's network. False unless given. */
  noPrefixRoute?: boolean;
}

/**
 * Puts an address on a link, or brings the one that is there in line. IPv6 addresses skip duplicate address detection: they are
 * ours by allocation, and a pod must be able to use its address at once.
 * @param address with its prefix length: `10.0.0.1/24`
 * @throws NetlinkError, RangeError when the text is no address
 */
export function ensureAddress(socket: NetlinkSocket, index: number, address: string, options: AddressOptions = {}): void {
  const flags = (address.includes(':') ? IFA_F_NODAD : 0) | (options.noPrefixRoute ? IFA_F_NOPREFIXROUTE : 0);
  socket.change({
    type: RTM_ADDRESS.NEW,
    flags: NLM_F.CREATE | NLM_F.REPLACE,
    body: Buffer.concat([addressBody(index, address), u32Attribute(IFA.FLAGS, flags)]),
    what: `add address ${address} to link ${index}`,
    object: address,
  });
}

/**
 * Takes an address off a link; its absence, also the link's, is fine.
 * @returns false when it was not there
 * @throws NetlinkError, RangeError when the text is no address
 */
export function deleteAddress(socket: NetlinkSocket, index: number, address: string): boolean {
  const refused = socket.change({
    type: RTM_ADDRESS.DELETE,
    body: addressBody(index, address),
    what: `delete address ${address} from link ${index}`,
    object: address,
    tolerate: ['EADDRNOTAVAIL', 'ENODEV'],
  });
  return refused === undefined;
}

/** An address on a link. */
export interface LinkAddress {
  index: number;
  /** With its prefix length, canonical text. */
  address: string;
}

/**
 * Lists addresses, of one link when an index is given.
 * @throws NetlinkError
 */
export function listAddresses(socket: NetlinkSocket, index = 0): LinkAddress[] {
  let found: LinkAddress[] = [];
  const take = (payload: Buffer): void => {
    const address = decodeAddress(payload);
    // Kernels without strict checking list the addresses of all links.
    if (address && (index === 0 || address.index === index)) found.push(address);
  };
  const request = { type: RTM_ADDRESS.GET, body: ifaddr(AF.UNSPEC, 0, index), what: 'list addresses', object: `link ${index}` };
  socket.dump(request, take, () => {
    found = [];
  });
  return found;
}

function decodeAddress(payload: Buffer): LinkAddress | undefined {
  if (familyOf(payload[0]!) === undefined) return undefined;
  const attributes = decodeAttributes(payload.subarray(IFADDR_LENGTH));
  // On point-to-point links ADDRESS is the other side; LOCAL is ours wherever it is present.
  const bytes = first(attributes, IFA.LOCAL) ?? first(attributes, IFA.ADDRESS);
  return bytes && { index: payload.readUInt32LE(4), address: `${ipText(bytes)}/${payload[1]}` };
}

function addressBody(index: number, address: string): Buffer {
  const { family, ip, length } = readPrefix(address);
  return Buffer.concat([ifaddr(familyNumber(family), length, index), ipAttribute(IFA.LOCAL, ip), ipAttribute(IFA.ADDRESS, ip)]);
}

/** `struct ifaddrmsg`. */
function ifaddr(family: number, length: number, index: number): Buffer {
  const bytes = Buffer.alloc(IFADDR_LENGTH);
  bytes[0] = family;
  bytes[1] = length;
  bytes.writeUInt32LE(index, 4);
  return bytes;
}
