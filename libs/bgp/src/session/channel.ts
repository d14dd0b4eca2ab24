import { type Clock, Machine, messageOf, type Random } from '@isthmus/core';
import { type Negotiated, negotiate } from '../capability/negotiated.ts';
import { BgpError } from '../error/bgp-error.ts';
import { MAX_EXTENDED_MESSAGE, MESSAGE_TYPE, MessageFramer } from '../message/framing.ts';
import { KEEPALIVE } from '../message/keepalive.ts';

import { encodeNotification, type Notification, notificationName, parseNotification } from '../message/notification.ts';
import { encodeOpen, type Open, parseOpen } from '../message/open.ts';
import type { BgpConnection } from './bgp-transport.ts';
import { Deadline } from './deadline.ts';
import { CEASE, CODE, OPEN_ERROR, type SessionEnd } from './session-end.ts';
import { SESSION_MACHINE, type SessionEvent, type SessionState, UNEXPECTED } from './session-machine.ts';
import { SESSION_DEFAULTS } from './session-settings.ts';

/** What takes the routes along: the end that an operator wants, and a peer that is out of reach for packets as well (RFC 5882 §4.3). */
const HARD: readonly number[] = [CEASE.shutdown, CEASE.deconfigured, CEASE.bfdDown];

/** What a connection with a peer asks and tells its owner. */
export interface ChannelOwner {
  /** The peer's OPEN. @throws BgpError to refuse it. @returns false when the connection was ended meanwhile */
  onOpen(channel: Channel, theirs: Open): boolean;
  onEstablished(channel: Channel, negotiated: Negotiated): void;
  /** An UPDATE's body, valid until it returns. @throws BgpError when it ends the session */
  onUpdate(channel: Channel, body: Uint8Array): void;
  onRefresh(channel: Channel, body: Uint8Array): void;
  /** The socket takes bytes again. */
  onWritable(channel: Channel): void;
  /** Once; nothing comes after it. */
  onEnd(channel: Channel, end: SessionEnd, wasEstablished: boolean): void;
}

/** What a {@link Channel} is made of. */
export interface ChannelOptions {
  readonly connection: BgpConnection;
  /** Who opened the connection. */
  readonly initiator: 'ours' | 'theirs';
  readonly machine: Machine<SessionState, SessionEvent>;
  readonly open: Open;
  /** Seconds between two KEEPALIVEs at most; a third of the hold time unless given. */
  readonly keepaliveTime?: number | undefined;
  readonly owner: ChannelOwner;
  readonly clock: Clock;
  readonly random: Random;
}

/** One connection with a peer, from its OPEN to its end: messages, and the timers that belong to it. RFC 4271 §8 from OpenSent on. */
export class Channel {
  readonly initiator: 'ours' | 'theirs';
  readonly #options: ChannelOptions;
  readonly #framer = new MessageFramer();
  readonly #hold: Deadline;
  readonly #keepalive: Deadline;
  readonly #sendHold: Deadline;
  #theirs: Open | undefined;
  #negotiated: Negotiated | undefined;
  #writable = true;
  #ended = false;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.initiator = options.initiator;
    this.#hold = new Deadline(options.clock, () =>
      this.fail(new BgpError({ code: CODE.holdExpired, subcode: 0, reason: 'hold timer expired' })),
    );
    this.#keepalive = new Deadline(options.clock, () => this.#sendKeepalive());
    this.#sendHold = new Deadline(options.clock, () => this.#stuck());
  }

  get state(): SessionState {
    return this.#options.machine.state;
  }

  get connection(): BgpConnection {
    return this.#options.connection;
  }

  /** The OPEN that was sent. */
  get open(): Open {
    return this.#options.open;
  }

  /** The peer's OPEN, once it has come. */
  get theirs(): Open | undefined {
    return this.#theirs;
  }

  get negotiated(): Negotiated | undefined {
    return this.#negotiated;
  }

  /** False while the socket's buffer is full. */
  get writable(): boolean {
    return this.#writable && !this.#ended;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Sends the OPEN and begins to read. */
  start(): void {
    const { connection, machine, open } = this.#options;
    machine.on('connected');
    this.#hold.set(SESSION_DEFAULTS.openHoldMs);
    connection.start({
      onBytes: (bytes) => this.#onBytes(bytes),
      onDrain: () => this.#onDrain(),
      onClosed: (error) =>
        this.#finish({ kind: 'lost', reason: error === undefined ? 'the peer closed the connection' : messageOf(error) }),
    });
    this.send(encodeOpen(open));
  }

  /** Sends whole messages. KEEPALIVEs are not needed for a while after it. @returns whether the socket takes more at once */
  send(bytes: Uint8Array): boolean {
    if (this.#ended) return false;
    this.#keepalive.putOff();
    const took = this.#options.connection.write(bytes);
    if (!took && this.#writable) {
      this.#writable = false;
      this.#sendHold.set(Math.max(SESSION_DEFAULTS.sendHoldMs, (this.#negotiated?.holdTime ?? 0) * 2000));
    }
    return took;
  }

  /** Ends with a NOTIFICATION that says what the peer did wrong. */
  fail(error: BgpError): void {
    if (this.#ended) return;
    this.#notify(error);
    this.#finish({ kind: 'failed', error, reason: error.reason });
  }

  /** Ends with a Cease, RFC 4486. `text` is shown to the peer's operator (RFC 9003) where the subcode has one. */
  cease(subcode: number, reason: string, text?: string): void {
    if (this.#ended) return;
    const words = text === undefined ? {} : { text };
    // With the N bit a Cease alone would leave the routes at the peer, RFC 8538 §3.1.
    const hard = this.#negotiated?.gracefulRestart?.notification === true && HARD.includes(subcode);
    this.#notify({ code: CODE.cease, subcode, ...words, ...(hard ? { inner: subcode } : {}) });
    this.#finish({ kind: 'ceased', subcode, reason });
  }

  /** Closes without a NOTIFICATION: a peer with graceful restart keeps the routes, RFC 4724 §4. */
  leave(reason: string): void {
    if (this.#ended) return;
    this.#options.connection.end();
    this.#finish({ kind: 'left', reason });
  }

  /** Gives the connection up as broken. */
  lose(reason: string): void {
    if (this.#ended) return;
    this.#options.connection.destroy();
    this.#finish({ kind: 'lost', reason });
  }

  #notify(notification: Notification): void {
    this.#options.connection.write(encodeNotification(notification));
    this.#options.connection.end();
  }

  #finish(end: SessionEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const timer of [this.#hold, this.#keepalive, this.#sendHold]) timer.stop();
    const wasEstablished = this.state === 'established';
    this.#options.machine.on('end');
    this.#options.owner.onEnd(this, end, wasEstablished);
  }

  #onBytes(bytes: Uint8Array): void {
    if (this.#ended) return;
    try {
      this.#framer.push(bytes);
      for (let message = this.#framer.next(); message !== undefined; message = this.#framer.next()) {
        this.#take(message.type, message.body);
        if (this.#ended) return;
      }
    } catch (error) {
      if (!(error instanceof BgpError)) throw error;
      this.fail(error);
    }
  }

  #take(type: number, body: Uint8Array): void {
    switch (type) {
      case MESSAGE_TYPE.update:
        this.#step('update');
        this.#options.owner.onUpdate(this, body);
        return;
      case MESSAGE_TYPE.keepalive:
        this.#takeKeepalive();
        return;
      case MESSAGE_TYPE.open:
        this.#takeOpen(body);
        return;
      case MESSAGE_TYPE.routeRefresh:
        this.#step('refresh');
        this.#options.owner.onRefresh(this, body);
        return;
      case MESSAGE_TYPE.notification:
        this.#takeNotification(body);
        return;
    }
  }

  /** Steps the table. @throws BgpError 5/1 to 5/3 when the message must not come in this state */
  #step(event: 'open' | 'keepalive' | 'update' | 'refresh'): void {
    const { machine } = this.#options;
    const from = machine.state;
    if (SESSION_MACHINE.transitions[from][event] === 'idle') {
      throw new BgpError({ code: CODE.machine, subcode: UNEXPECTED[from] ?? 0, reason: `unexpected ${event} message in state ${from}` });
    }
    this.#hold.putOff();
    machine.on(event);
  }

  #takeOpen(body: Uint8Array): void {
    this.#step('open');
    const { open, owner } = this.#options;
    const theirs = parseOpen(body);
    this.#theirs = theirs;
    if (!owner.onOpen(this, theirs)) return;
    const negotiated = negotiate(open, theirs);
    if (negotiated.families.length === 0) {
      throw new BgpError({ code: CODE.open, subcode: OPEN_ERROR.unsupportedCapability, reason: 'no address family in common' });
    }
    this.#negotiated = negotiated;
    if (negotiated.extendedMessage) this.#framer.maxMessage = MAX_EXTENDED_MESSAGE;
    this.#hold.set(negotiated.holdTime * 1000);
    this.#sendKeepalive();
  }

  #takeKeepalive(): void {
    const confirms = this.state === 'open-confirm';
    this.#step('keepalive');
    if (confirms) this.#options.owner.onEstablished(this, this.#negotiated!);
  }

  #takeNotification(body: Uint8Array): void {
    const { code, subcode, text } = parseNotification(body);
    const reason = `the peer ended the session: ${notificationName(code, subcode)}${text === undefined ? '' : ` ("${text}")`}`;
    this.#options.connection.end();
    this.#finish({ kind: 'told', code, subcode, reason });
  }

  /** A third of the hold time or what is set, less up to a quarter of it: RFC 4271 §10. */
  #sendKeepalive(): void {
    this.send(KEEPALIVE);
    const { keepaliveTime = Number.POSITIVE_INFINITY, random } = this.#options;
    const seconds = Math.min(keepaliveTime, (this.#negotiated?.holdTime ?? 0) / 3);
    this.#keepalive.set(seconds * 1000 * (1 - 0.25 * random()));
  }

  #onDrain(): void {
    this.#writable = true;
    this.#sendHold.stop();
    if (!this.#ended) this.#options.owner.onWritable(this);
  }

  /** RFC 9687 §3: the peer reads nothing, so no NOTIFICATION would arrive either. */
  #stuck(): void {
    const error = new BgpError({ code: CODE.sendHoldExpired, subcode: 0, reason: 'send hold timer expired: the peer reads nothing' });
    this.#options.connection.destroy();
    this.#finish({ kind: 'failed', error, reason: error.reason });
  }
}
