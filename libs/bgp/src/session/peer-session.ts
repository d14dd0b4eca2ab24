import { Backoff, type Cancel, type Clock, Machine, messageOf, type Random } from '@isthmus/core';
import type { Negotiated } from '../capability/negotiated.ts';
import { encodeNotification } from '../message/notification.ts';
import type { Open } from '../message/open.ts';
import type { BgpConnection, BgpTransport } from './bgp-transport.ts';
import { Channel, type ChannelOwner } from './channel.ts';
import { checkOpen, survivor } from './open-check.ts';
import { CEASE, CODE, type SessionEnd } from './session-end.ts';
import { PROGRESS, SESSION_MACHINE, type SessionEvent, type SessionState } from './session-machine.ts';
import { SESSION_DEFAULTS, type SessionSettings } from './session-settings.ts';

/** Where what a session carries comes from and goes to. */
export interface SessionRoutes {
  /** The OPEN to send now; its restart bits depend on the moment, RFC 4724 §3. */
  open(): Open;
  up(channel: Channel, negotiated: Negotiated): void;
  /** @throws BgpError when it ends the session */
  update(body: Uint8Array): void;
  refresh(body: Uint8Array): void;
  writable(): void;
  down(end: SessionEnd, negotiated: Negotiated): void;
}

/** What a {@link PeerSession} needs. */
export interface PeerSessionOptions {
  readonly settings: SessionSettings;
  readonly transport: BgpTransport;
  readonly routes: SessionRoutes;
  readonly clock: Clock;
  readonly random: Random;
  /** The state, or the reason of the last end, changed. */
  readonly onState: (state: SessionState) => void;
}

/** The session with one peer over all its connections: when to connect, which of two connections stays, when to try again. RFC 4271 §8. */
export class PeerSession implements ChannelOwner {
  readonly #options: PeerSessionOptions;
  readonly #backoff: Backoff;
  readonly #channels = new Set<Channel>();
  /** The outgoing connection's way; a channel takes it over when it connects. */
  #machine = new Machine<SessionState, SessionEvent>(SESSION_MACHINE);
  #dialing: AbortController | undefined;
  #timer: Cancel | undefined;
  #enabled = false;
  /** No connection is taken until then: the last session broke the protocol. Of `clock.now()`. */
  #refuseUntil = 0;
  #establishedAt = 0;
  #reported: SessionState = 'idle';
  #lastError: string | undefined;
  #lastEnd: SessionEnd | undefined;

  constructor(options: PeerSessionOptions) {
    this.#options = options;
    const { idleHoldMinMs: minMs, idleHoldMaxMs: maxMs } = SESSION_DEFAULTS;
    this.#backoff = new Backoff({ minMs, maxMs, jitter: 0.25 }, options.random);
  }

  /** The state of the connection that got furthest. */
  get state(): SessionState {
    const states = [this.#machine.state, ...[...this.#channels].map((channel) => channel.state)];
    return states.reduce((a, b) => (PROGRESS[b] > PROGRESS[a] ? b : a));
  }

  /** Why the session is not up, or was not up before; for people. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  get lastEnd(): SessionEnd | undefined {
    return this.#lastEnd;
  }

  /** The established connection. */
  get established(): Channel | undefined {
    return [...this.#channels].find((channel) => channel.state === 'established');
  }

  /** Milliseconds that the session is up; undefined when it is not. */
  get uptimeMs(): number | undefined {
    return this.established === undefined ? undefined : this.#options.clock.now() - this.#establishedAt;
  }

  /** Begins, and goes on trying until one of the methods below ends it. */
  start(): void {
    if (this.#enabled) return;
    this.#enabled = true;
    this.#begin();
  }

  /** Administrative shutdown with a text for the peer's operator, RFC 9003. {@link start} begins again. */
  shutdown(text?: string): void {
    this.#finish((channel) => channel.cease(CEASE.shutdown, 'shut down here', text));
  }

  /** The peer is no longer configured: its routes go at once on both sides. */
  remove(): void {
    this.#finish((channel) => channel.cease(CEASE.deconfigured, 'no longer configured here'));
  }

  /** Goes without a NOTIFICATION, so that a peer with graceful restart keeps the routes until this speaker is back. */
  leave(): void {
    this.#finish((channel) => channel.leave('stopped here'));
  }

  /** Ends the session and begins anew at once. */
  reset(subcode: number = CEASE.reset, reason = 'reset here'): void {
    this.#finish((channel) => channel.cease(subcode, reason));
    this.#backoff.reset();
    this.#refuseUntil = 0;
    this.start();
  }

  /** A connection that the peer opened. */
  accept(connection: BgpConnection): void {
    if (!this.#enabled || this.#options.clock.now() < this.#refuseUntil) {
      refuse(connection, CEASE.rejected);
      return;
    }
    const { established } = this;
    if (established !== undefined && !this.#mayBeRestart(established)) {
      refuse(connection, CEASE.collision);
      return;
    }
    for (const channel of this.#channels)
      if (channel.initiator === 'theirs' && channel !== established) channel.cease(CEASE.collision, 'the peer connected anew');
    this.#cancelTimerUnlessDialing();
    const machine = new Machine<SessionState, SessionEvent>(SESSION_MACHINE);
    machine.on('start-passive');
    this.#open(connection, 'theirs', machine);
  }

  onOpen(channel: Channel, theirs: Open): boolean {
    checkOpen(theirs, this.#options.settings);
    for (const other of this.#channels) {
      if (other === channel || other.theirs === undefined) continue;
      if (other.state === 'established' && channel.initiator === 'theirs') {
        other.lose('the peer connected anew'); // RFC 4724 §5: its OPEN says that it restarted
        continue;
      }
      const stays = other.state === 'established' ? other.initiator : survivor(channel.open, theirs);
      const loser = channel.initiator === stays ? other : channel;
      loser.cease(CEASE.collision, 'another connection with the peer stays');
    }
    this.#report();
    return !channel.ended;
  }

  onEstablished(channel: Channel, negotiated: Negotiated): void {
    this.#stopDialing();
    if (this.#machine.state === 'connect' || this.#machine.state === 'active') this.#machine.on('end');
    for (const other of this.#channels) if (other !== channel) other.cease(CEASE.collision, 'another connection with the peer stays');
    this.#establishedAt = this.#options.clock.now();
    this.#options.routes.up(channel, negotiated);
    this.#report();
  }

  onUpdate(_channel: Channel, body: Uint8Array): void {
    this.#options.routes.update(body);
  }

  onRefresh(_channel: Channel, body: Uint8Array): void {
    this.#options.routes.refresh(body);
  }

  onWritable(channel: Channel): void {
    if (channel === this.established) this.#options.routes.writable();
  }

  onEnd(channel: Channel, end: SessionEnd, wasEstablished: boolean): void {
    this.#channels.delete(channel);
    if (wasEstablished || !isCollision(end)) this.#remember(end);
    if (wasEstablished) {
      if (this.#options.clock.now() - this.#establishedAt >= SESSION_DEFAULTS.stableMs) this.#backoff.reset();
      this.#options.routes.down(end, channel.negotiated!);
    }
    if (end.kind === 'failed' && isTooManyPrefixes(end)) this.#finish(() => {}); // Only an operator knows when that is over.
    if (this.#enabled) this.#holdIdle(end);
    this.#report();
  }

  /**
   * A peer that restarts may connect anew before its old connection is known to be dead. One without graceful restart waits for the hold timer,
   * and what comes right after the session is up was on its way before.
   */
  #mayBeRestart({ negotiated }: Channel): boolean {
    return negotiated?.gracefulRestart !== undefined && this.uptimeMs! >= SESSION_DEFAULTS.crossingMs;
  }

  #remember(end: SessionEnd): void {
    this.#lastEnd = end;
    this.#lastError = end.reason;
  }

  #begin(): void {
    this.#timer = undefined;
    if (this.#channels.size > 0) return;
    this.#machine = new Machine<SessionState, SessionEvent>(SESSION_MACHINE);
    this.#machine.on(this.#options.settings.passive ? 'start-passive' : 'start');
    if (!this.#options.settings.passive) this.#dial();
    this.#report();
  }

  /** IdleHoldTime with damping, RFC 4271 §8.1.1. Of two connections that crossed each side may have ended another one: then both begin anew. */
  #holdIdle(end: SessionEnd): void {
    const alone = this.#channels.size === 0 && this.#dialing === undefined && this.#machine.state === 'idle';
    if (isCollision(end) && !alone) return;
    const ms = this.#backoff.next();
    if (end.kind === 'failed') this.#refuseUntil = this.#options.clock.now() + ms;
    if (!alone) return;
    this.#timer?.();
    this.#timer = this.#options.clock.after(ms, () => this.#begin());
  }

  #dial(): void {
    const { clock, random, settings, transport } = this.#options;
    const attempt = new AbortController();
    const machine = this.#machine;
    this.#dialing = attempt;
    const retryMs = (settings.connectRetryMs ?? SESSION_DEFAULTS.connectRetryMs) * (1 - 0.25 * random());
    this.#timer = clock.after(retryMs, () => {
      attempt.abort(new Error(noAnswer(settings)));
      machine.on('retry');
      this.#dial();
      this.#report();
    });
    transport.connect(connectOptions(settings), attempt.signal).then(
      (connection) => {
        if (attempt.signal.aborted) {
          connection.destroy();
          return;
        }
        this.#stopDialing();
        this.#open(connection, 'ours', machine);
      },
      (error: unknown) => {
        if (this.#dialing === undefined) return;
        this.#lastError = messageOf(error);
        if (this.#dialing !== attempt) return;
        machine.on('connect-failed');
        this.#report();
      },
    );
  }

  #open(connection: BgpConnection, initiator: 'ours' | 'theirs', machine: Machine<SessionState, SessionEvent>): void {
    const { clock, random, routes, settings } = this.#options;
    const { keepaliveTime } = settings;
    const channel = new Channel({ connection, initiator, machine, open: routes.open(), keepaliveTime, owner: this, clock, random });
    this.#channels.add(channel);
    channel.start();
    this.#report();
  }

  /** A connection that came in makes waiting in Idle pointless. */
  #cancelTimerUnlessDialing(): void {
    if (this.#dialing !== undefined) return;
    this.#timer?.();
    this.#timer = undefined;
  }

  #stopDialing(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#dialing?.abort(new Error('no longer wanted'));
    this.#dialing = undefined;
  }

  #finish(end: (channel: Channel) => void): void {
    this.#enabled = false;
    this.#stopDialing();
    for (const channel of this.#channels) end(channel);
    this.#machine.on('end'); // Where no channel has it.
    this.#report();
  }

  #report(): void {
    const { state } = this;
    if (state === this.#reported) return;
    this.#reported = state;
    this.#options.onState(state);
  }
}

function connectOptions({ address, port, localAddress, password, ttl, minTtl }: SessionSettings): Parameters<BgpTransport['connect']>[0] {
  return {
    remote: { address, port: port ?? SESSION_DEFAULTS.port },
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(password === undefined ? {} : { password }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(minTtl === undefined ? {} : { minTtl }),
  };
}

/** A peer with another password does not answer at all, RFC 2385 §2: what is silent may be that. */
function noAnswer({ password }: SessionSettings): string {
  return password === undefined ? 'no answer' : 'no answer to connections with this password: the peer may have another one, or none';
}

/** Turns away a connection that no session is for, RFC 4486 §4. */
export function refuse(connection: BgpConnection, subcode: number): void {
  connection.start({ onBytes: () => {}, onDrain: () => {}, onClosed: () => {} });
  connection.write(encodeNotification({ code: CODE.cease, subcode }));
  connection.end();
}

/** Ends that say nothing about the session: its other connection goes on. */
function isCollision(end: SessionEnd): boolean {
  return (
    (end.kind === 'ceased' && end.subcode === CEASE.collision) ||
    (end.kind === 'told' && end.code === CODE.cease && end.subcode === CEASE.collision)
  );
}

function isTooManyPrefixes({ error }: { readonly error: { readonly code: number; readonly subcode: number } }): boolean {
  return error.code === CODE.cease && error.subcode === CEASE.maxPrefixes;
}
