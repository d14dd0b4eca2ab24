import { type Link, withNetns } from '@isthmus/datapath';
import { errno, libcCalls } from '../../../libs/datapath/src/adapters/libc.ts';

const AF_PACKET = 17;
/** Without the headers of the link, not waiting, not for programs that are started. */
const SOCK_FLAGS = 2 | 0o4000 | 0o2000000;
const ETH_P_ALL = 3;
const ADDRESS_BYTES = 20;
const SNAP_BYTES = 2048;
/** `recv` then answers how long a packet is, not how much of it had room. */
const MSG_TRUNC = 0x20;
const IPV4_FRAGMENT_AT = 6;
const IPV4_FRAGMENT_MASK = 0x3fff;
const IPV6_NEXT_HEADER_AT = 6;
const IPV6_FRAGMENT = 44;

/** An IP packet on the wire. */
export interface WirePacket {
  /** Bytes, from its IP header on. */
  readonly length: number;
  /** It is a piece of a larger one. */
  readonly fragment: boolean;
}

/** Sees every packet that a device of a network namespace sends and receives, as it is on the wire. */
export class Wire {
  readonly #fd: number;

  constructor(netns: string, { index }: Link) {
    this.#fd = withNetns(netns, () => libcCalls.socket(AF_PACKET, SOCK_FLAGS, 0));
    const address = Buffer.alloc(ADDRESS_BYTES);
    address.writeUInt16LE(AF_PACKET, 0);
    address.writeUInt16BE(ETH_P_ALL, 2);
    address.writeInt32LE(index, 4);
    if (this.#fd < 0 || libcCalls.bind(this.#fd, address, ADDRESS_BYTES) < 0) throw new Error(`cannot listen: errno ${errno()}`);
  }

  /** Takes the IP packets since it was last asked. */
  packets(): WirePacket[] {
    const packets: WirePacket[] = [];
    const bytes = Buffer.alloc(SNAP_BYTES);
    for (;;) {
      const length = libcCalls.recv(this.#fd, bytes, SNAP_BYTES, MSG_TRUNC);
      if (length < 0) return packets;
      const version = bytes[0]! >> 4;
      if (version === 4) packets.push({ length, fragment: (bytes.readUInt16BE(IPV4_FRAGMENT_AT) & IPV4_FRAGMENT_MASK) !== 0 });
      if (version === 6) packets.push({ length, fragment: bytes[IPV6_NEXT_HEADER_AT] === IPV6_FRAGMENT });
    }
  }

  close(): void {
    libcCalls.close(this.#fd);
  }
}
