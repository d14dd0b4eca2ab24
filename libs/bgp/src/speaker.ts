import { type Cancel, type Clock, CodedError, defineError, type Random } from '@isthmus/core';
import { Ip, parseCidr, parseIp } from '@isthmus/net';
import type { RoutedFamily } from './family/routed-family.ts';
import type { BgpConnection, BgpEndpoint, BgpListener, BgpTransport, ListenerPeer } from './session/bgp-transport.ts';
import { ourOpen } from './session/our-open.ts';
import { PeerRoutes } from './session/peer-routes.ts';
import { PeerSession, refuse } from './session/peer-session.ts';
import { type PeerConnection, sameSession, sessionSettings } from './session/peer-settings.ts';
import { SelectionDeferral } from './session/selection-deferral.ts';
import { CEASE } from './session/session-end.ts';
import type { SessionState } from './session/session-machine.ts';
import type { SessionSettings } from './session/session-settings.ts';
import type { UpdateParser } from './session/session-table.ts';
import type { SpeakerTable } from './session/speaker-table.ts';

/** A peer that is there already, or not there, was named. */
export const BGP_PEER = defineError(
  'BGP_PEER',
  'A BGP peer was added twice, or one was named that is not there.',
  'Peers are known by their address; a link-local one by address and zone.',
);

/** What a {@link BgpSpeaker} is made of. */
export interface BgpSpeakerOptions<Policy> {
  readonly asn: number;
  /** IPv4 text, unique in the AS. */
  readonly routerId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: BgpTransport;
  readonly table: SpeakerTable<Policy>;
  readonly parseUpdate: UpdateParser;
  /** Where to accept connections; nowhere unless given. */
  readonly listen?: readonly BgpEndpoint[];
  /** Peers that need not be named: whoever connects from the network gets a session of these settings, and is forgotten when it is gone. */
  readonly ranges?: readonly PeerRange<Policy>[];
  /**
   * The process was stopped with {@link BgpSpeaker.stop} and is back: peers that kept its routes are told, RFC 4724 §4.1. Own routes go out at
   * once; what is learned is passed on, and the End-of-RIB sent, when all peers with graceful restart have sent theirs, or after 30 seconds.
   */
  readonly restarting?: boolean;
  /** After every change of a session's state. */
  readonly onState?: (status: PeerStatus) => void;
}

/** One peer as people see it. */
export interface PeerStatus {
  readonly address: string;
  /** Under which the route table knows it. */
  readonly number: number;
  readonly state: SessionState;
  /** Milliseconds; only while established. */
  readonly uptimeMs?: number;
  /** Of the peer's OPEN; only while established. */
  readonly asn?: number;
  readonly routerId?: string;
  readonly families?: readonly RoutedFamily[];
  /** Seconds; only while established. */
  readonly holdTime?: number;
  /** Families of which the peer has sent everything that it had when the session came up, RFC 4724 §2. */
  readonly complete: readonly RoutedFamily[];
  /** Families whose routes are kept while the peer restarts. */
  readonly stale: readonly RoutedFamily[];
  /** Why the session is not up, or was not before. */
  readonly lastError?: string;
}

/** Settings of peers that connect from a network. */
export type PeerRange<Policy> = PeerConnection & Policy & { readonly network: string; readonly maxPeers?: number };

/** Peers of one range unless given: more are refused. */
const MAX_RANGE_PEERS = 256;
/** A peer of a range that has had no session for so long is forgotten, in milliseconds, once none of its routes is kept. */
const FORGET_AFTER_MS = 60_000;

interface Peer<Policy> {
  readonly connection: PeerConnection & Policy & { readonly address: string };
  readonly session: PeerSession;
  readonly routes: PeerRoutes;
  readonly number: number;
  /** Where it came from; undefined when it was named. */
  readonly range: PeerRange<Policy> | undefined;
}

/** A BGP speaker: peers, and their sessions with one route table. Nothing connects before {@link start}. */
export class BgpSpeaker<Policy = unknown> {
  readonly #options: BgpSpeakerOptions<Policy>;
  readonly #peers = new Map<string, Peer<Policy>>();
  readonly #listeners: BgpListener[] = [];
  readonly #startedAt: number;
  readonly #deferral: SelectionDeferral | undefined;
  /** By number of a range's peer that has no session. */
  readonly #forgetting = new Map<number, Cancel>();
  #running = false;

  constructor(options: BgpSpeakerOptions<Policy>) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    if (options.restarting) {
      this.#deferral = new SelectionDeferral(options.clock, () => options.table.setDeferring(false));
      options.table.setDeferring(true);
    }
    options.table.onDirty((number) => [...this.#peers.values()].find((peer) => peer.number === number)?.routes.flush());
  }

  /** Where connections are accepted. */
  get listening(): readonly BgpEndpoint[] {
    return this.#listeners.map(({ local }) => local);
  }

  /** Listens and connects. Originate what is known before: a peer that kept routes over a restart drops those that do not come at once. */
  async start(): Promise<void> {
    const { listen = [], transport, ranges = [] } = this.#options;
    const named = [...this.#peers.values()].map(({ connection }) => this.#settings(connection, connection.address));
    const expected = [...named, ...ranges.map((range) => this.#settings(range, range.network))].map(listenerPeer);
    try {
      for (const local of listen) this.#listeners.push(await transport.listen(local, expected, (connection) => this.#accept(connection)));
    } catch (error) {
      await this.#stopListening();
      throw error;
    }
    this.#running = true;
    this.#deferral?.start();
    for (const peer of this.#peers.values()) this.#enable(peer);
  }

  /** @throws CodedError BGP_PEER when its address is taken */
  addPeer(connection: PeerConnection & Policy & { readonly address: string }): void {
    this.#add(connection);
  }

  /**
   * New settings for a peer. Where they concern its routes alone, the session stays; otherwise it is ended and made anew, RFC 4486 §4 "other
   * configuration change".
   * @throws CodedError BGP_PEER
   */
  updatePeer(connection: PeerConnection & Policy & { readonly address: string }): void {
    const old = this.#peer(connection.address);
    if (sameSession(old.connection, connection)) {
      this.#peers.set(connection.address, { ...old, connection });
      this.#options.table.updatePeer(old.number, connection);
      return;
    }
    old.session.reset(CEASE.configurationChange, 'its settings changed');
    this.#forget(old);
    this.#add(connection);
  }

  /** Ends the session with a Cease; the routes go on both sides. @throws CodedError BGP_PEER */
  removePeer(address: string): void {
    this.#forget(this.#peer(address));
    if (this.#running) this.#checkDeferral();
  }

  /** Ends the session and holds it down, with a text for the peer's operator (RFC 9003). {@link enablePeer} undoes it. */
  shutdownPeer(address: string, text?: string): void {
    this.#peer(address).session.shutdown(text);
  }

  /** Begins again after {@link shutdownPeer}, or after a peer sent too many prefixes. */
  enablePeer(address: string): void {
    this.#peer(address).session.start();
  }

  /** Ends the session with a Cease and makes it anew. */
  resetPeer(address: string): void {
    this.#peer(address).session.reset();
  }

  /**
   * Something else than the session knows that the peer is out of reach, BFD for instance: its routes go at once, whatever graceful restart
   * would keep (RFC 5882 §4.3), with a Cease of RFC 9384. The session is tried again.
   */
  failPeer(address: string, reason: string): void {
    this.#peer(address).session.reset(CEASE.bfdDown, reason);
  }

  /** All peers, those that came from a range included. */
  status(): PeerStatus[] {
    return [...this.#peers.values()].map(statusOf);
  }

  /** Goes without a word: peers with graceful restart keep the routes until the restart time is over. */
  async stop(): Promise<void> {
    await this.#end((peer) => peer.session.leave());
  }

  /** Ends all sessions with a Cease: peers drop the routes at once. */
  async remove(): Promise<void> {
    await this.#end((peer) => peer.session.remove());
  }

  async #end(leave: (peer: Peer<Policy>) => void): Promise<void> {
    this.#running = false;
    this.#deferral?.stop();
    for (const cancel of this.#forgetting.values()) cancel();
    this.#forgetting.clear();
    await this.#stopListening();
    for (const peer of this.#peers.values()) {
      leave(peer);
      peer.routes.forget();
    }
  }

  async #stopListening(): Promise<void> {
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.close()));
  }

  #add(connection: PeerConnection & Policy & { readonly address: string }, range?: PeerRange<Policy>): Peer<Policy> {
    const { address } = connection;
    if (this.#peers.has(address)) throw new CodedError(BGP_PEER, `there is a peer ${address} already`, { object: address });
    const { clock, random, transport, table, parseUpdate, onState } = this.#options;
    const settings = this.#settings(connection, address);
    const number = table.addPeer(connection);
    const routes = new PeerRoutes({
      table,
      parseUpdate,
      peer: number,
      clock,
      open: () => ourOpen(settings, this.#isRestarting(settings)),
      onComplete: () => this.#checkDeferral(),
    });
    const report = (): void => {
      onState?.(statusOf(peer));
      if (peer.session.state === 'established') this.#checkDeferral();
      if (range !== undefined) this.#forgetLater(peer);
    };
    const session = new PeerSession({
      settings: range === undefined ? settings : { ...settings, passive: true },
      transport,
      routes,
      clock,
      random,
      onState: report,
    });
    const peer: Peer<Policy> = { connection, session, routes, number, range };
    this.#peers.set(address, peer);
    if (this.#running) this.#enable(peer);
    return peer;
  }

  #enable(peer: Peer<Policy>): void {
    const settings = this.#settings(peer.connection, peer.connection.address);
    if (peer.range === undefined) for (const listener of this.#listeners) listener.setPeer(listenerPeer(settings));
    peer.session.start();
  }

  #forget(peer: Peer<Policy>): void {
    const { address } = peer.connection;
    peer.session.remove();
    peer.routes.forget();
    this.#peers.delete(address);
    this.#keep(peer);
    this.#options.table.removePeer(peer.number);
    if (peer.range === undefined) for (const listener of this.#listeners) listener.removePeer(address);
  }

  #accept(connection: BgpConnection): void {
    const { address } = connection.remote;
    const known = this.#peers.get(address);
    const range = known === undefined ? this.#rangeOf(address) : undefined;
    if (known !== undefined) known.session.accept(connection);
    else if (range === undefined) refuse(connection, CEASE.rejected);
    else if (this.#isFull(range)) refuse(connection, CEASE.outOfResources);
    else this.#add({ ...range, address }, range).session.accept(connection);
  }

  #rangeOf(address: string): PeerRange<Policy> | undefined {
    const ip = parseIp(address.replace(/%.*$/, ''));
    if (ip === undefined) return undefined;
    return this.#options.ranges?.find(({ network }) => parseCidr(network)?.contains(new Ip(ip.family, ip.bytes)));
  }

  #isFull(range: PeerRange<Policy>): boolean {
    const there = [...this.#peers.values()].filter((peer) => peer.range === range);
    return there.length >= (range.maxPeers ?? MAX_RANGE_PEERS);
  }

  /** Looks again until it has a session, or nothing is left of it. */
  #forgetLater(peer: Peer<Policy>): void {
    const up = peer.session.state === 'established';
    if (up) this.#keep(peer);
    if (up || !this.#running || this.#forgetting.has(peer.number)) return;
    const look = (): void => {
      this.#forgetting.delete(peer.number);
      if (peer.routes.stale.length > 0) this.#forgetLater(peer);
      else this.#forget(peer);
    };
    this.#forgetting.set(peer.number, this.#options.clock.after(FORGET_AFTER_MS, look));
  }

  /** Whoever comes from a range is waited for while it is there, and not before. */
  #checkDeferral(): void {
    const peers = [...this.#peers.values()].map(({ connection, session, routes, range }) => {
      const negotiated = session.established?.negotiated;
      const restartable = connection.gracefulRestart !== undefined && (range === undefined || negotiated !== undefined);
      return { restartable, negotiated, complete: routes.complete };
    });
    this.#deferral?.check(peers);
  }

  #keep({ number }: Peer<Policy>): void {
    this.#forgetting.get(number)?.();
    this.#forgetting.delete(number);
  }

  #settings(connection: PeerConnection, address: string): SessionSettings {
    return sessionSettings({ ...connection, address }, this.#options);
  }

  #isRestarting({ gracefulRestart }: SessionSettings): boolean {
    const { restarting = false, clock } = this.#options;
    return restarting && gracefulRestart !== undefined && clock.now() - this.#startedAt < gracefulRestart.restartTime * 1000;
  }

  #peer(address: string): Peer<Policy> {
    const peer = this.#peers.get(address);
    if (peer === undefined) throw new CodedError(BGP_PEER, `there is no peer ${address}`, { object: address });
    return peer;
  }
}

function statusOf({ connection, session, routes, number }: Peer<unknown>): PeerStatus {
  const { state, uptimeMs, lastError, established } = session;
  const { theirs, negotiated } = established ?? {};
  return {
    address: connection.address,
    number,
    state,
    complete: routes.complete,
    stale: routes.stale,
    ...(uptimeMs === undefined ? {} : { uptimeMs }),
    ...(theirs === undefined ? {} : { asn: theirs.asn, routerId: theirs.routerId }),
    ...(negotiated === undefined ? {} : { families: negotiated.families, holdTime: negotiated.holdTime }),
    ...(lastError === undefined ? {} : { lastError }),
  };
}

function listenerPeer({ address, password, ttl, minTtl }: SessionSettings): ListenerPeer {
  return {
    address,
    ...(password === undefined ? {} : { password }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(minTtl === undefined ? {} : { minTtl }),
  };
}
