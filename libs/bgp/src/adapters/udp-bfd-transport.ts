import { CodedError, messageOf, type Random } from '@isthmus/core';
import { BFD_SOCKET } from '../bfd/bfd-errors.ts';
import type { BfdChannel, BfdChannelOptions, BfdReceiver, BfdTransport } from '../bfd/bfd-transport.ts';
import { BfdReceiveSocket } from './bfd-receive-socket.ts';
import { BfdSendSocket } from './bfd-send-socket.ts';
import { libcCalls } from './libc.ts';

/** Turns of the loop that reading may take at most: each reads 32 packets of a socket, and no socket holds more than this together. */
const MOST_TURNS = 32;

/** BFD over UDP on Linux: RFC 5881 and RFC 5883. */
export class UdpBfdTransport implements BfdTransport {
  readonly #random: Random;
  readonly #receiving = new Map<string, BfdReceiveSocket>();
  readonly #ports = new Set<number>();
  #receive: BfdReceiver = () => {};
  #arrived = 0;

  /** @param random for source ports */
  constructor(random: Random) {
    this.#random = random;
  }

  receiver(receive: BfdReceiver): void {
    this.#receive = receive;
  }

  open(options: BfdChannelOptions): BfdChannel {
    const { local, remote, multihop, interface: device } = options;
    const index = device === undefined ? 0 : libcCalls.ifNameToIndex(device);
    if (device !== undefined && index === 0) throw new CodedError(BFD_SOCKET, `there is no interface ${device}`, { object: device });
    const sender = this.#coded(remote, () => new BfdSendSocket(options, this.#ports, this.#random));
    try {
      // By number: a device that went and came again under its name is another one, and a socket stays with the first.
      const place = `${multihop} ${local} ${index}`;
      // The sender stands for the channel: the filter must know the peer before the socket has an address, and the channel comes after it.
      const receiver = this.#coded(remote, () => this.#receiver(place, options, sender));
      const channel: BfdChannel = {
        send: (bytes) => sender.send(bytes),
        setMinTtl: (ttl) => receiver.take(sender, { source: remote, minTtl: ttl }),
        usable: () => device === undefined || libcCalls.ifNameToIndex(device) === index,
        dropped: () => receiver.dropped(),
        close: () => {
          sender.close();
          receiver.leave(sender);
          if (!receiver.used) this.#close(place, receiver);
        },
      };
      return channel;
    } catch (error) {
      sender.close();
      throw error;
    }
  }

  /** Timers come before reading in a turn of the loop, immediates after it. */
  settle(then: () => void): void {
    const turn = (left: number, seen: number): void => {
      if (left === 0 || this.#arrived === seen) then();
      else again(left - 1);
    };
    const again = (left: number): void => {
      const seen = this.#arrived;
      setImmediate(() => turn(left, seen));
    };
    again(MOST_TURNS);
  }

  /** The socket of a place, which takes packets of the peer from its first moment. */
  #receiver(place: string, options: BfdChannelOptions, channel: object): BfdReceiveSocket {
    const source = { source: options.remote, minTtl: options.minTtl };
    const known = this.#receiving.get(place);
    if (known !== undefined) {
      known.take(channel, source);
      return known;
    }
    const opened = new BfdReceiveSocket(options, [channel, source], (bytes, path) => {
      this.#arrived++;
      this.#receive(bytes, path);
    });
    this.#receiving.set(place, opened);
    return opened;
  }

  #close(place: string, socket: BfdReceiveSocket): void {
    if (this.#receiving.get(place) === socket) this.#receiving.delete(place);
    socket.close();
  }

  /** Errors of options and addresses come from code that BGP shares. */
  #coded<T>(object: string, open: () => T): T {
    try {
      return open();
    } catch (cause) {
      throw new CodedError(BFD_SOCKET, `no BFD socket for ${object}: ${messageOf(cause)}`, { object, cause });
    }
  }
}
