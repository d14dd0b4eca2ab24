import type { RoutedFamily } from '../family/routed-family.ts';
import { MAX_MESSAGE } from '../message/framing.ts';
import type { ParsedUpdate } from '../message/parsed-update.ts';
import { type AttributeCodec, CompiledPolicy } from '../policy/compiled-policy.ts';
import { ACCEPT_ALL, type Policy, REJECT_ALL } from '../policy/policy.ts';
import { Advertiser } from './advertiser.ts';
import { AttributeStore } from './attribute-store.ts';
import { type SpeakerIdentity } from './attribute-summary.ts';
import { FamilyTable } from './family-table.ts';
import { ReceivedPaths } from './received-paths.ts';
import { Outgoing, type PeerUp, RibPeer, type RibPeerSettings } from './rib-peer.ts';
import { RouteFollower } from './route-follower.ts';
import { type AdvertisedRoute, type ListedRoute, LOCAL, RouteReader } from './route-reader.ts';
import { type PathWork, Walks } from './walks.ts';

/** Preferred before every learned route. */
const OWN_WEIGHT = 32_768;
/** So many numbers of removed peers wait before the first is given out again: what other peers were told may name it still. */
const SPARE_NUMBERS = 1024;

/** What an UPDATE led to. */
export type ReceiveResult = 'ok' | 'max-prefixes-exceeded';

/** Numbers of routes by family. */
export interface PeerCounts {
  readonly received: { readonly [F in RoutedFamily]: number };
  readonly advertised: { readonly [F in RoutedFamily]: number };
}

/** All routes of a speaker: what peers sent, what is best, and what each peer has to be told. No clock, no sockets. */
export class RouteTable {
  readonly #sets: AttributeStore;
  readonly #codec: AttributeCodec;
  readonly #peers: (RibPeer | undefined)[] = [];
  readonly #families: { readonly [F in RoutedFamily]: FamilyTable };
  readonly #advertiser: Advertiser;
  readonly #walks: Walks;
  readonly #reader: RouteReader;
  readonly #received: ReceivedPaths;
  readonly #listeners: ((peer: number) => void)[] = [];
  readonly #onWork: (() => void)[] = [];
  readonly #followers = new Set<RouteFollower>();
  readonly #free: number[] = [];
  /** Who is told of a family's changes. */
  readonly #sending: Record<RoutedFamily, { readonly number: number; readonly out: Outgoing }[]> = { ipv4: [], ipv6: [] };

  readonly #now: () => number;

  /** @param now seconds from any start, for the age of paths */
  constructor(self: SpeakerIdentity, codec: AttributeCodec, now: () => number) {
    this.#codec = codec;
    this.#now = now;
    this.#sets = new AttributeStore(self);
    const changed = (table: FamilyTable, prefix: number): void => this.#changed(table, prefix);
    this.#families = {
      ipv4: new FamilyTable('ipv4', this.#sets, this.#peers, changed),
      ipv6: new FamilyTable('ipv6', this.#sets, this.#peers, changed),
    };
    const unused = (table: FamilyTable, prefix: number): void => this.#releaseIfUnused(table, prefix);
    this.#advertiser = new Advertiser(self, this.#sets, this.#peers, unused);
    this.#reader = new RouteReader(this.#sets, codec, this.#peers, now);
    this.#received = new ReceivedPaths({ sets: this.#sets, codec, peers: this.#peers, unused });
    this.#walks = new Walks({
      path: (table, path, kind, peer) => this.#received.work(table, path, kind, peer),
      forget: (table, prefix, out) => this.#forget(table, prefix, out),
      done: (peer) => this.#retire(peer),
    });
    this.addPeer({ name: '', external: false, weight: OWN_WEIGHT });
  }

  /** @returns the peer's number */
  addPeer(settings: RibPeerSettings): number {
    const { importPolicy, exportPolicy } = this.#policies(settings);
    const peer = new RibPeer(settings, importPolicy, exportPolicy);
    if (this.#free.length <= SPARE_NUMBERS) return this.#peers.push(peer) - 1;
    const number = this.#free.shift()!;
    this.#peers[number] = peer;
    return number;
  }

  /**
   * New policies, preferences and next hops for a peer, while its session stays: what it sent is judged again, and it is told again what it may
   * have.
   */
  updatePeer(number: number, settings: RibPeerSettings, nextHopSelf?: PeerUp['nextHopSelf']): void {
    const peer = this.#peers[number]!;
    if (peer.up !== undefined && nextHopSelf !== undefined) peer.up = { ...peer.up, nextHopSelf };
    peer.importPolicy.close();
    peer.exportPolicy.close();
    Object.assign(peer, { settings, ...this.#policies(settings) });
    this.reimport(number);
    for (const family of peer.outgoing.keys()) this.refresh(number, family);
  }

  /** The peer is no longer configured. What it sent goes; its number is given to another one much later. */
  removePeer(number: number): void {
    const peer = this.#peers[number]!;
    if (peer.up !== undefined) this.peerDown(number, 'withdraw');
    peer.removed = true;
    this.#walk(number, 'withdraw');
  }

  /** Tells who listens that a peer that had nothing to be told now has. */
  onDirty(listener: (peer: number) => void): void {
    this.#listeners.push(listener);
  }

  /** Tells who listens that there is something for {@link advance}. */
  onWork(listener: () => void): void {
    this.#onWork.push(listener);
  }

  /** Begins to tell a peer everything that it may have. Walks over what its earlier sessions left go on beside. */
  peerUp(number: number, up: PeerUp): void {
    const peer = this.#peers[number]!;
    peer.epoch = (peer.epoch + 1) & 0xffff;
    peer.up = up;
    peer.routerId = up.routerId;
    peer.address = up.remoteAddress;
    peer.zone = up.zone ?? '';
    peer.external = up.external ?? peer.settings.external;
    for (const family of up.families) peer.outgoing.set(family, new Outgoing(up.severalPaths?.includes(family)));
    this.#listSending();
    this.#tell(number);
  }

  /** Forgets what was sent; what was received goes, or stays as stale until {@link sweepStale} (RFC 4724 §4.2). */
  peerDown(number: number, routes: 'withdraw' | 'keep-stale'): void {
    const peer = this.#peers[number]!;
    peer.up = undefined;
    for (const [family, out] of peer.outgoing)
      this.#walks.push({ kind: 'forget', peer: number, table: this.#families[family], at: 1, out });
    peer.outgoing.clear();
    this.#listSending();
    this.#walk(number, routes === 'withdraw' ? 'withdraw' : 'mark-stale');
  }

  /** Removes what the peer has not sent again since it came back. */
  sweepStale(number: number, family?: RoutedFamily): void {
    this.#walk(number, 'sweep', family);
  }

  /** Applies import policy again to all that the peer has sent. */
  reimport(number: number): void {
    this.#walk(number, 'reimport');
  }

  /** Stale routes of a family lose against all others from now on, and those with NO_LLGR go; RFC 9494 §4.2, §4.3. */
  keepLongLived(number: number, family: RoutedFamily): void {
    this.#walk(number, 'keep-long-lived', family);
  }

  /** What the peer has sent of a family until now is stale until it is sent again or swept, RFC 7313 §4. */
  markStale(number: number, family: RoutedFamily): void {
    this.#walk(number, 'mark-stale', family);
    const peer = this.#peers[number]!;
    peer.epoch = (peer.epoch + 1) & 0xffff; // what comes from now on is not meant
  }

  /** Sends everything again, RFC 2918; between marks where the peer knows them, once it has the first End-of-RIB (RFC 7313 §4). */
  refresh(number: number, family: RoutedFamily): void {
    const peer = this.#peers[number]!;
    const out = peer.outgoing.get(family);
    if (out === undefined) return;
    if (out.endOfRib && peer.up?.enhancedRefresh) out.marks = 'begin';
    out.cursor = 1;
    out.again = true;
    this.#tell(number);
  }

  /** RFC 8326: all routes go out with GRACEFUL_SHUTDOWN, or without it again. */
  setDraining(draining: boolean): void {
    this.#advertiser.draining = draining;
    for (const [number, peer] of this.#peers.entries()) for (const family of peer?.outgoing.keys() ?? []) this.refresh(number, family);
  }

  /** RFC 4724 §4.1: holds back what was learned, and every End-of-RIB; or lets both go out. */
  setDeferring(deferring: boolean): void {
    this.#advertiser.deferring = deferring;
    for (const [number, peer] of this.#peers.entries()) {
      for (const out of peer?.outgoing.values() ?? []) out.cursor = 1;
      if (peer?.up !== undefined) this.#tell(number);
    }
  }

  /** An own route: its block, and the next hop to give to internal peers (empty for the speaker itself). */
  originate(family: RoutedFamily, prefix: Uint8Array, block: Uint8Array, nextHop: Uint8Array = new Uint8Array(0)): void {
    const run = { family, bytes: prefix, addPath: false, nextHop };
    this.receive(LOCAL, { withdrawn: [], reach: [run], attributes: block, faults: [] });
  }

  /** Takes an own route back. */
  withdraw(family: RoutedFamily, prefix: Uint8Array): void {
    this.#received.withdraw(LOCAL, this.#families[family], { family, bytes: prefix, addPath: false });
  }

  /** Takes in an UPDATE. Once over its limit a peer's session has to end; what came until then is kept. */
  receive(number: number, update: ParsedUpdate): ReceiveResult {
    const peer = this.#peers[number]!;
    for (const run of update.withdrawn) this.#received.withdraw(number, this.#families[run.family], run);
    if (update.reach.length > 0) this.#families.ipv4.now = this.#families.ipv6.now = this.#now();
    for (const run of update.reach) {
      const raw = this.#sets.intern(update.attributes, run.nextHop);
      this.#received.announce(number, this.#families[run.family], run, raw);
      this.#sets.release(raw);
    }
    return peer.received.ipv4 + peer.received.ipv6 > (peer.settings.maxPrefixes ?? Number.POSITIVE_INFINITY)
      ? 'max-prefixes-exceeded'
      : 'ok';
  }

  /** Whole messages of at most `maxBytes` together, but for an extended one at the end; undefined when there is nothing to tell. */
  nextUpdates(number: number, maxBytes: number): Uint8Array | undefined {
    const peer = this.#peers[number]!;
    const messages: Uint8Array[] = [];
    let length = 0;
    const most = maxBytes - MAX_MESSAGE;
    for (const [family, out] of peer.outgoing) {
      while (length === 0 || length <= most) {
        const message = this.#advertiser.next(number, this.#families[family], out);
        if (message === undefined) break;
        messages.push(message);
        length += message.length;
      }
    }
    return length === 0 ? undefined : concatenated(messages, length);
  }

  /** Goes on with open walks, over at most that many paths that concern them. @returns whether there is more to do */
  advance(paths: number): boolean {
    return this.#walks.advance(paths);
  }

  /** Follows the best routes: all that there are, then what changes. @param maxPaths next hops of one route at most */
  follow(maxPaths: number): RouteFollower {
    const follower = new RouteFollower({
      route: (family, prefix) => this.#reader.best(this.#families[family], prefix, maxPaths),
      text: (family, prefix) => this.#families[family].prefixes.text(prefix),
      told: (family, prefix) => this.#releaseIfUnused(this.#families[family], prefix),
      closed: (one) => this.#followers.delete(one),
    });
    this.#followers.add(follower);
    for (const table of Object.values(this.#families)) {
      for (let prefix = 1; prefix < table.prefixes.end; prefix++)
        if (table.best(prefix) !== 0) follower.push(table.prefixes.family, prefix);
    }
    return follower;
  }

  /** Every prefix with all its paths, for people. */
  routes(family: RoutedFamily): Iterable<ListedRoute> {
    return this.#reader.routes(this.#families[family]);
  }

  /** What a peer was told of a family, for people. */
  *advertised(number: number, family: RoutedFamily): Generator<AdvertisedRoute> {
    const table = this.#families[family];
    const out = this.#peers[number]!.outgoing.get(family);
    if (out === undefined) return;
    for (const { prefix, path, block, nextHop } of this.#advertiser.told(number, table, out))
      yield { prefix: table.prefixes.text(prefix), age: this.#reader.age(table, path), attributes: this.#codec.decode(block, nextHop) };
  }

  /** Routes of a peer by family: those that came from it, and those that went to it. */
  counts(number: number): PeerCounts {
    const { received, outgoing } = this.#peers[number]!;
    const advertised = (family: RoutedFamily): number => outgoing.get(family)?.advertised ?? 0;
    return { received: { ...received }, advertised: { ipv4: advertised('ipv4'), ipv6: advertised('ipv6') } };
  }

  /** Prefixes of both families that something is known of, or was told of. */
  get prefixes(): number {
    return this.#families.ipv4.prefixes.size + this.#families.ipv6.prefixes.size;
  }

  /** Distinct attribute sets in use. */
  get attributeSets(): number {
    return this.#sets.size;
  }

  #policies(settings: RibPeerSettings): { importPolicy: CompiledPolicy; exportPolicy: CompiledPolicy } {
    const compiled = (policy: Policy): CompiledPolicy => new CompiledPolicy(policy, this.#sets, this.#codec);
    return {
      importPolicy: compiled(settings.importPolicy ?? (settings.external ? REJECT_ALL : ACCEPT_ALL)),
      exportPolicy: compiled(settings.exportPolicy ?? ACCEPT_ALL),
    };
  }

  /** Frees the number of a removed peer that nothing is left of. */
  #retire(number: number): void {
    const peer = this.#peers[number]!;
    if (!peer.removed) return;
    peer.importPolicy.close();
    peer.exportPolicy.close();
    this.#peers[number] = undefined;
    this.#free.push(number);
  }

  #walk(peer: number, kind: PathWork, family?: RoutedFamily): void {
    const { epoch } = this.#peers[peer]!;
    for (const table of Object.values(this.#families)) {
      if (family === undefined || table.prefixes.family === family) this.#walks.push({ kind, peer, table, at: 1, epoch });
    }
    for (const listener of this.#onWork) listener();
  }

  /** What a lost session was told of a prefix. Its number may be another prefix's meanwhile, or nobody's. */
  #forget(table: FamilyTable, prefix: number, out: Outgoing): void {
    const sent = out.sent.get(prefix);
    if (out.paths !== undefined) for (const set of out.paths.of(prefix).values()) this.#sets.release(set);
    else if (sent !== 0) this.#sets.release(sent);
    out.sent.set(prefix, 0);
    if (table.prefixes.isUsed(prefix)) this.#releaseIfUnused(table, prefix);
  }

  #changed(table: FamilyTable, prefix: number): void {
    const { family } = table.prefixes;
    if (this.#followers.size > 0) for (const follower of this.#followers) follower.push(family, prefix);
    const set = table.paths.set.get(table.best(prefix));
    for (const { number, out } of this.#sending[family]) {
      const idle = out.dirty.empty && out.cursor === 0;
      out.dirty.push(prefix, set);
      if (idle) this.#tell(number);
    }
  }

  #listSending(): void {
    for (const family of ['ipv4', 'ipv6'] as const) {
      this.#sending[family] = [...this.#peers.entries()].flatMap(([number, peer]) => {
        const out = peer?.outgoing.get(family);
        return out === undefined ? [] : [{ number, out }];
      });
    }
  }

  #tell(number: number): void {
    for (const listener of this.#listeners) listener(number);
  }

  #releaseIfUnused(table: FamilyTable, prefix: number): void {
    if (table.head(prefix) !== 0) return;
    for (const follower of this.#followers) if (follower.holds(table.prefixes.family, prefix)) return;
    for (const { out } of this.#sending[table.prefixes.family]) if (out.sent.get(prefix) !== 0 || out.dirty.has(prefix)) return;
    table.prefixes.release(prefix);
  }
}

function concatenated(messages: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const message of messages) {
    out.set(message, at);
    at += message.length;
  }
  return out;
}
