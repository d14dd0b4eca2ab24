import { errnoName } from '../errno-name.ts';
import { errno, int32, libcCalls } from '../libc.ts';
import { withNetns } from '../netns.ts';
import { decodeAttributes, decodeMessages, encodeMessage, HEADER_LENGTH, type NetlinkMessage, NLM_F, NLMSG, textOf } from './message.ts';
import { NetlinkError } from './netlink-error.ts';

/** Netlink families that we speak (linux/netlink.h). */
export type NetlinkFamily = 'route' | 'sock-diag';

/** One request and how to speak of it. */
export interface NetlinkRequest {
  type: number;
  /** Besides REQUEST and, for changes, ACK. */
  flags?: number;
  body: Buffer;
  /** What is asked, as it follows "cannot": `create link isth0`. */
  what: string;
  /** Name of the thing that it is about. */
  object: string;
  /** Names of errors that are answered instead of thrown: what to delete is absent, what to create exists. */
  tolerate?: readonly string[];
}

const FAMILIES: Readonly<Record<NetlinkFamily, number>> = { route: 0, 'sock-diag': 4 };
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOL_NETLINK = 270;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const MSG_TRUNC = 0x20;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;
/** The kernel fills dump buffers of at most 32 KiB; twice that never truncates. */
const RECEIVE_BYTES = 65_536;
/** The kernel answers at once or not at all; this keeps a lost answer from stopping the process for ever. */
const RECEIVE_TIMEOUT_S = 10;
const DUMP_ATTEMPTS = 20;

/** Shared by all sockets: every exchange is synchronous, and what is kept from it is copied. */
const receiveBuffer = Buffer.alloc(RECEIVE_BYTES);

/**
 * A netlink socket of one network namespace. All calls are synchronous and take microseconds to a few milliseconds.
 *
 * The namespace is that of the thread at the time of {@link open}; the socket may be used from anywhere afterwards.
 */
export class NetlinkSocket {
  readonly #fd: number;
  #seq = 0;
  #closed = false;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Opens a socket in the current network namespace, or in the one that is given by file or descriptor.
   * @throws CodedError NETNS_MISSING, NETNS_ENTER, NetlinkError
   */
  static open(family: NetlinkFamily = 'route', netns?: string | number): NetlinkSocket {
    return netns === undefined ? NetlinkSocket.#open(family) : withNetns(netns, () => NetlinkSocket.#open(family));
  }

  /** Opens a socket, runs `fn` with it and closes it, whatever `fn` does. */
  static using<T>(family: NetlinkFamily, netns: string | number | undefined, fn: (socket: NetlinkSocket) => T): T {
    const socket = NetlinkSocket.open(family, netns);
    try {
      return fn(socket);
    } finally {
      socket.close();
    }
  }

  static #open(family: NetlinkFamily): NetlinkSocket {
    const fd = libcCalls.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, FAMILIES[family]);
    if (fd < 0) throw new NetlinkError(errno(), `open a netlink socket of family ${family}`, family);
    // Both are refinements of kernels since 4.12 and 4.20; without them answers are only less precise.
    libcCalls.setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, int32(1), 4);
    libcCalls.setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, int32(1), 4);
    libcCalls.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval(RECEIVE_TIMEOUT_S), 16);
    return new NetlinkSocket(fd);
  }

  /** Closes the socket. Twice is fine. */
  close(): void {
    if (!this.#closed) libcCalls.close(this.#fd);
    this.#closed = true;
  }

  /**
   * Sends a change and waits for its acknowledgement.
   * @returns undefined when done, or the name of the error when the request tolerates it
   * @throws NetlinkError
   */
  change(request: NetlinkRequest): string | undefined {
    const seq = this.#send(request, NLM_F.ACK);
    for (;;) {
      for (const message of this.#receive(request)) {
        if (message.seq === seq && message.type === NLMSG.ERROR) return refusal(message, request);
      }
    }
  }

  /**
   * Asks for one object.
   * @returns its message without the header, or undefined when the kernel answers with a tolerated error
   * @throws NetlinkError
   */
  get(request: NetlinkRequest): Buffer | undefined {
    const seq = this.#send(request, 0);
    for (;;) {
      for (const message of this.#receive(request)) {
        if (message.seq !== seq) continue;
        if (message.type !== NLMSG.ERROR) return Buffer.from(message.payload);
        refusal(message, request);
        return undefined;
      }
    }
  }

  /**
   * Asks for all objects and calls `each` with every one; the buffer is valid only during the call, and
   * `each` must not use netlink itself (all sockets share one buffer). A listing that a change
   * interrupted is started again, so collect results per attempt: `begin` is called before each.
   * @throws NetlinkError
   */
  dump(request: NetlinkRequest, each: (payload: Buffer) => void, begin: () => void = () => {}): void {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      begin();
      if (this.#dumpOnce(request, each)) return;
    }
    throw new NetlinkError(4, `${request.what}: interrupted by changes ${DUMP_ATTEMPTS} times`, request.object);
  }

  /** False when the listing was interrupted. */
  #dumpOnce(request: NetlinkRequest, each: (payload: Buffer) => void): boolean {
    const seq = this.#send(request, NLM_F.DUMP);
    let whole = true;
    for (;;) {
      for (const message of this.#receive(request)) {
        if (message.seq !== seq) continue;
        if (message.flags & NLM_F.DUMP_INTR) whole = false;
        if (message.type === NLMSG.ERROR || message.type === NLMSG.DONE) {
          refusal(message, request);
          return whole;
        }
        each(message.payload);
      }
    }
  }

  #send(request: NetlinkRequest, flags: number): number {
    const seq = ++this.#seq >>> 0;
    const bytes = encodeMessage({ type: request.type, flags: NLM_F.REQUEST | flags | (request.flags ?? 0), seq, payload: request.body });
    if (libcCalls.send(this.#fd, bytes, bytes.length, 0) < 0) throw new NetlinkError(errno(), request.what, request.object);
    return seq;
  }

  #receive(request: NetlinkRequest): NetlinkMessage[] {
    for (;;) {
      const length = libcCalls.recv(this.#fd, receiveBuffer, RECEIVE_BYTES, MSG_TRUNC);
      if (length > RECEIVE_BYTES) throw new NetlinkError(90, request.what, request.object, `answer of ${length} bytes`);
      if (length >= 0) return decodeMessages(receiveBuffer.subarray(0, length));
      const number = errno();
      if (errnoName(number) !== 'EINTR') throw new NetlinkError(number, request.what, request.object);
    }
  }
}

/** Reads the error number of an ERROR or DONE message: undefined for success, its name when tolerated. */
function refusal(message: NetlinkMessage, request: NetlinkRequest): string | undefined {
  const number = message.payload.length >= 4 ? message.payload.readInt32LE(0) : 0;
  if (number >= 0) return undefined;
  const name = errnoName(number);
  if (request.tolerate?.includes(name)) return name;
  throw new NetlinkError(number, request.what, request.object, kernelWords(message));
}

/** The explanation that comes behind the error number and (a copy of) the request's header. */
function kernelWords(message: NetlinkMessage): string | undefined {
  if (message.type !== NLMSG.ERROR || !(message.flags & NLM_F_ACK_TLVS)) return undefined;
  const copied = message.flags & NLM_F_CAPPED ? HEADER_LENGTH : message.payload.readUInt32LE(4);
  return textOf(decodeAttributes(message.payload.subarray(4 + ((copied + 3) & ~3))), NLMSGERR_ATTR_MSG);
}

function timeval(seconds: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigInt64LE(BigInt(seconds));
  return bytes;
}
