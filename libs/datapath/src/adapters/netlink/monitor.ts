import { errnoName } from '../errno-name.ts';
import { errno, int32, libcCalls, pollLater } from '../libc.ts';
import { decodeMessages } from './message.ts';
import { NetlinkError } from './netlink-error.ts';
import { decodeRoute, type Route } from './route.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const RECEIVE_BUFFER = 8 << 20;
const EVENTFD_CLOEXEC = 0o2000000;
const POLLIN = 1;
/** Multicast groups of NETLINK_ROUTE, as bits (linux/rtnetlink.h). */
const GROUPS = { link: 0x1, address4: 0x10, route4: 0x40, address6: 0x100, route6: 0x400 } as const;
const RTM = { newLink: 16, deleteLink: 17, newAddress: 20, deleteAddress: 21, newRoute: 24, deleteRoute: 25 } as const;
const RECEIVE_BYTES = 65_536;
/** A process that ends without closing this waits for the thread that polls: no longer than this, in milliseconds. */
const LOOK_MS = 500;

/** What the kernel says of itself. */
export type NetlinkEvent =
  /** A device came, went, or is another: of routes over it, some may have gone without a word. */
  | { readonly kind: 'link' }
  | { readonly kind: 'address' }
  | { readonly kind: 'route'; readonly route: Route; readonly gone: boolean }
  /** There was more than could be read: whatever was known must be read again. */
  | { readonly kind: 'lost' };

/** Tells what changes among devices, addresses and routes of one network namespace, as it changes. */
export class NetlinkMonitor {
  readonly #fd: number;
  readonly #wake: number;
  readonly #onEvents: (events: readonly NetlinkEvent[]) => void;
  #closed = false;
  readonly #running: Promise<void>;

  /**
   * Opens it in the current network namespace. @param onEvents what happened since, in order; must not throw
   * @throws NetlinkError
   */
  constructor(onEvents: (events: readonly NetlinkEvent[]) => void) {
    this.#onEvents = onEvents;
    this.#fd = openSocket();
    this.#wake = libcCalls.eventfd(0, EVENTFD_CLOEXEC);
    this.#running = this.#run();
  }

  /** Stops it; nothing is told any more. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    libcCalls.write(this.#wake, eight(1), 8);
    await this.#running;
  }

  async #run(): Promise<void> {
    const fds = Buffer.concat([pollfd(this.#fd), pollfd(this.#wake)]);
    while (!this.#closed) {
      await pollLater(fds, LOOK_MS);
      if (!this.#closed) this.#read();
    }
    libcCalls.close(this.#fd);
    libcCalls.close(this.#wake);
  }

  #read(): void {
    const events: NetlinkEvent[] = [];
    const buffer = Buffer.alloc(RECEIVE_BYTES);
    for (;;) {
      const length = libcCalls.recv(this.#fd, buffer, RECEIVE_BYTES, 0);
      if (length > 0) {
        for (const message of decodeMessages(buffer.subarray(0, length))) {
          const event = eventOf(message.type, message.payload);
          if (event) events.push(event);
        }
        continue;
      }
      const name = errnoName(errno());
      if (name === 'ENOBUFS') events.push({ kind: 'lost' });
      else if (name !== 'EINTR') break;
    }
    if (events.length > 0) this.#onEvents(events);
  }
}

function eventOf(type: number, payload: Buffer): NetlinkEvent | undefined {
  switch (type) {
    case RTM.newLink:
    case RTM.deleteLink:
      return { kind: 'link' };
    case RTM.newAddress:
    case RTM.deleteAddress:
      return { kind: 'address' };
    case RTM.newRoute:
    case RTM.deleteRoute: {
      const route = decodeRoute(payload);
      return route && { kind: 'route', route, gone: type === RTM.deleteRoute };
    }
    default:
      return undefined;
  }
}

function openSocket(): number {
  const fd = libcCalls.socket(AF_NETLINK, SOCK_RAW_CLOEXEC_NONBLOCK, 0);
  if (fd < 0) throw new NetlinkError(errno(), 'open a netlink socket of family route', 'route');
  // Where that is not allowed the kernel's own size must do; what does not fit is told as lost.
  libcCalls.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, int32(RECEIVE_BUFFER), 4);
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(
    Object.values(GROUPS).reduce((bits, group) => bits | group, 0),
    8,
  );
  if (libcCalls.bind(fd, address, address.length) === 0) return fd;
  const number = errno();
  libcCalls.close(fd);
  throw new NetlinkError(number, 'listen to changes of devices and routes', 'route');
}

function pollfd(fd: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeInt32LE(fd, 0);
  bytes.writeInt16LE(POLLIN, 4);
  return bytes;
}

function eight(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
