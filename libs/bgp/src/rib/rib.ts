import type { Clock } from '@isthmus/core';
import { addressBytes, parseCidr } from '@isthmus/net';
import { decodeAttributes, encodeAttributes } from '../attribute/attributes.codec.ts';
import type { PathAttributes } from '../attribute/path-attributes.ts';
import type { RoutedFamily } from '../family/routed-family.ts';
import { MAX_EXTENDED_MESSAGE, MAX_MESSAGE } from '../message/framing.ts';
import type { ParsedUpdate } from '../message/parsed-update.ts';
import type { PeerUp } from '../session/session-table.ts';
import type { SpeakerTable } from '../session/speaker-table.ts';
import type { RibPeerSettings, PeerUp as RibPeerUp } from './rib-peer.ts';
import type { RouteFollower } from './route-follower.ts';
import type { AdvertisedRoute, ListedRoute } from './route-reader.ts';
import { type PeerCounts, RouteTable } from './route-table.ts';

/** Paths that a walk changes in one turn of the loop: a few milliseconds. */
const SLICE = 4_000;

/** What of a peer's routes is wanted. */
export interface PeerRouting extends Omit<RibPeerSettings, 'name' | 'external'> {
  /** Own addresses to give as next hops, by family; where absent, the session's own address, for routes of its family. */
  readonly nextHops?: { readonly [F in RoutedFamily]?: string };
}

/** What a {@link Rib} is made of. */
export interface RibOptions {
  /** The speaker's AS number. */
  readonly asn: number;
  /** IPv4 text. */
  readonly routerId: string;
  /** Cluster of a route reflector, IPv4 text; the router id unless given. RFC 4456 §7. */
  readonly clusterId?: string;
  /** For the age of paths. */
  readonly clock: Pick<Clock, 'now'>;
  /** Runs something in a later turn of the loop. */
  later(run: () => void): void;
}

/** An own route. */
export interface OwnRoute {
  /** CIDR text. */
  readonly prefix: string;
  /** ORIGIN IGP and an empty path unless given. The next hop is the speaker itself unless given. */
  readonly attributes?: Partial<PathAttributes>;
}

/** The route table of a {@link BgpSpeaker}: what peers sent, what is best, what each is told. */
export class Rib implements SpeakerTable<PeerRouting> {
  readonly #options: RibOptions;
  readonly #table: RouteTable;
  readonly #settings = new Map<number, PeerRouting>();
  readonly #up = new Map<number, PeerUp>();
  #working = false;
  #onEndOfRib: ((peer: number) => void) | undefined;

  constructor(options: RibOptions) {
    this.#options = options;
    const { asn, routerId, clusterId = routerId, clock } = options;
    const self = { localAs: asn, routerId: u32Of(routerId), clusterId: u32Of(clusterId) };
    this.#table = new RouteTable(self, { decode: decodeAttributes, encode: encodeAttributes }, () => clock.now() / 1000);
    this.#table.onWork(() => this.#work());
  }

  /** Announces an own route, or announces it anew with other attributes. @throws RangeError when the prefix is none */
  originate({ prefix, attributes = {} }: OwnRoute): void {
    const { family, bytes } = nlriOf(prefix);
    const { nextHop = '', ...others } = attributes;
    const block = encodeAttributes({ origin: 0, asPath: [], nextHop, ...others });
    this.#table.originate(family, bytes, block, nextHop === '' ? undefined : addressBytes(nextHop).bytes);
  }

  /** Takes an own route back; one that is not there is fine. @throws RangeError when the prefix is none */
  withdraw(prefix: string): void {
    const { family, bytes } = nlriOf(prefix);
    this.#table.withdraw(family, bytes);
  }

  /** RFC 8326: tells every peer to prefer other ways, or takes that back. */
  setDraining(draining: boolean): void {
    this.#table.setDraining(draining);
  }

  /** Follows the best routes. @param maxPaths next hops of one route at most: 1 without ECMP */
  follow(maxPaths = 1): RouteFollower {
    return this.#table.follow(maxPaths);
  }

  /** Tells when a peer has sent all that it had of a family. One listener. */
  onEndOfRib(listener: (peer: number) => void): void {
    this.#onEndOfRib = listener;
  }

  /** Every prefix of a family with all its paths. */
  routes(family: RoutedFamily): Iterable<ListedRoute> {
    return this.#table.routes(family);
  }

  /** What a peer was told of a family, as it went out. */
  advertised(peer: number, family: RoutedFamily): Iterable<AdvertisedRoute> {
    return this.#table.advertised(peer, family);
  }

  /** Routes that came from a peer, and those that went to it, by family. */
  counts(peer: number): PeerCounts {
    return this.#table.counts(peer);
  }

  /** What the table holds, for metrics: distinct attribute sets, and prefixes; also those that some peer is yet to be told are gone. */
  get size(): { readonly prefixes: number; readonly attributeSets: number } {
    const { prefixes, attributeSets } = this.#table;
    return { prefixes, attributeSets };
  }

  addPeer(settings: PeerRouting & { readonly address: string; readonly asn: number }): number {
    const number = this.#table.addPeer(this.#ribSettings(settings));
    this.#settings.set(number, settings);
    return number;
  }

  updatePeer(peer: number, settings: PeerRouting & { readonly address: string; readonly asn: number }): void {
    this.#settings.set(peer, settings);
    const up = this.#up.get(peer);
    this.#table.updatePeer(peer, this.#ribSettings(settings), up && nextHopsOf(up, settings.nextHops));
  }

  removePeer(peer: number): void {
    this.#settings.delete(peer);
    this.#up.delete(peer);
    this.#table.removePeer(peer);
  }

  setDeferring(deferring: boolean): void {
    this.#table.setDeferring(deferring);
  }

  onDirty(listener: (peer: number) => void): void {
    this.#table.onDirty(listener);
  }

  peerUp(peer: number, up: PeerUp): void {
    const { negotiated, remoteAddress, remoteRouterId } = up;
    this.#up.set(peer, up);
    const { families, external, fourOctetAs, extendedNextHop, extendedMessage, enhancedRouteRefresh, longLived } = negotiated;
    const ribUp: RibPeerUp = {
      families,
      external,
      extendedNextHop,
      twoOctetAs: !fourOctetAs,
      routerId: u32Of(remoteRouterId),
      remoteAddress: plainAddress(remoteAddress),
      ...(remoteAddress.includes('%') && { zone: remoteAddress.replace(/^.*%/, '') }),
      nextHopSelf: nextHopsOf(up, this.#settings.get(peer)?.nextHops),
      maxMessage: extendedMessage ? MAX_EXTENDED_MESSAGE : MAX_MESSAGE,
      enhancedRefresh: enhancedRouteRefresh,
      longLived: longLived !== undefined,
      severalPaths: families.filter((family) => negotiated.addPath[family].send),
    };
    this.#table.peerUp(peer, ribUp);
  }

  receive(peer: number, update: ParsedUpdate): 'ok' | 'max-prefixes-exceeded' {
    return this.#table.receive(peer, update);
  }

  /** What that ends is in the session's hands: it sweeps what was kept. */
  endOfRib(peer: number): void {
    this.#onEndOfRib?.(peer);
  }

  peerDown(peer: number, how: 'withdraw' | 'keep-stale'): void {
    this.#up.delete(peer);
    this.#table.peerDown(peer, how);
  }

  markStale(peer: number, family: RoutedFamily): void {
    this.#table.markStale(peer, family);
  }

  keepLongLived(peer: number, family: RoutedFamily): void {
    this.#table.keepLongLived(peer, family);
  }

  sweepStale(peer: number, family?: RoutedFamily): void {
    this.#table.sweepStale(peer, family);
  }

  nextUpdates(peer: number, maxBytes: number): Uint8Array | undefined {
    return this.#table.nextUpdates(peer, maxBytes);
  }

  refresh(peer: number, family: RoutedFamily): void {
    this.#table.refresh(peer, family);
  }

  #ribSettings({
    address,
    asn,
    nextHops: _,
    ...routing
  }: PeerRouting & { readonly address: string; readonly asn: number }): RibPeerSettings {
    // Whoever may be anybody is a stranger until the OPEN says otherwise: RFC 8212 holds.
    return { ...routing, name: address, external: asn !== this.#options.asn };
  }

  #work(): void {
    if (this.#working) return;
    this.#working = true;
    this.#options.later(() => {
      this.#working = false;
      if (this.#table.advance(SLICE)) this.#work();
    });
  }
}

/** The session's own address is the next hop of its family. Over IPv6 it may be that of IPv4 routes too, RFC 8950. */
function nextHopsOf({ localAddress, negotiated }: PeerUp, given: PeerRouting['nextHops'] = {}): RibPeerUp['nextHopSelf'] {
  const own = plainAddress(localAddress);
  const six = own.length === 16 ? own : undefined;
  const hops = {
    ipv4: given.ipv4 === undefined ? (six === undefined ? own : negotiated.extendedNextHop ? six : undefined) : plainAddress(given.ipv4),
    ipv6: given.ipv6 === undefined ? six : plainAddress(given.ipv6),
  };
  return { ...(hops.ipv4 && { ipv4: hops.ipv4 }), ...(hops.ipv6 && { ipv6: hops.ipv6 }) };
}

/** Without the zone of a link-local one; an IPv4 address in an IPv6 socket is one of IPv4. */
function plainAddress(text: string): Uint8Array {
  const { bytes } = addressBytes(text.replace(/%.*$/, ''));
  const mapped = bytes.length === 16 && bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return mapped ? bytes.subarray(12) : bytes;
}

function nlriOf(prefix: string): { family: RoutedFamily; bytes: Uint8Array } {
  const cidr = parseCidr(prefix);
  if (cidr === undefined) throw new RangeError(`${prefix} is not a prefix`);
  const { address, length } = cidr;
  return { family: address.family === 4 ? 'ipv4' : 'ipv6', bytes: Uint8Array.of(length, ...address.bytes.subarray(0, (length + 7) >>> 3)) };
}

function u32Of(address: string): number {
  const [a, b, c, d] = addressBytes(address).bytes;
  return ((a! << 24) | (b! << 16) | (c! << 8) | d!) >>> 0;
}
