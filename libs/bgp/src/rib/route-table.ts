import type { PathAttributes } from '../attribute/path-attributes.ts';
import type { RoutedFamily } from '../family/routed-family.ts';
import type { NlriRun, ParsedUpdate } from '../message/parsed-update.ts';
import { type AttributeCodec, CompiledPolicy } from '../policy/compiled-policy.ts';
import { ACCEPT_ALL, type Policy, REJECT_ALL } from '../policy/policy.ts';
import { Advertiser } from './advertiser.ts';
import { AttributeStore } from './attribute-store.ts';
import { SET_FLAG, type SpeakerIdentity, u32 } from './attribute-summary.ts';
import { FamilyTable } from './family-table.ts';
import { PATH_FLAG } from './path-pool.ts';
import { Outgoing, type PeerUp, RibPeer, type RibPeerSettings } from './rib-peer.ts';
import { type BestRoute, type ListedPath, RouteFollower } from './route-follower.ts';

/** Preferred before every learned route. */
const OWN_WEIGHT = 32_768;
const LOCAL = 0;
/** So many numbers of removed peers wait before the first is given out again: what other peers were told may name it still. */
const SPARE_NUMBERS = 1024;

/** What an UPDATE led to. */
export type ReceiveResult = 'ok' | 'max-prefixes-exceeded';

/** A walk over all paths, advanced by {@link RouteTable.advance}. */
interface Walk {
  readonly kind: 'withdraw' | 'mark-stale' | 'sweep' | 'reimport';
  readonly peer: number;
  readonly table: FamilyTable;
  at: number;
}

/** All routes of a speaker: what peers sent, what is best, and what each peer has to be told. No clock, no sockets. */
export class RouteTable {
  readonly #sets: AttributeStore;
  readonly #codec: AttributeCodec;
  readonly #peers: (RibPeer | undefined)[] = [];
  readonly #families: { readonly [F in RoutedFamily]: FamilyTable };
  readonly #advertiser: Advertiser;
  readonly #walks: Walk[] = [];
  readonly #listeners: ((peer: number) => void)[] = [];
  readonly #onWork: (() => void)[] = [];
  readonly #followers = new Set<RouteFollower>();
  readonly #free: number[] = [];

  constructor(self: SpeakerIdentity, codec: AttributeCodec) {
    this.#codec = codec;
    this.#sets = new AttributeStore(self);
    const changed = (table: FamilyTable, prefix: number): void => this.#changed(table, prefix);
    this.#families = {
      ipv4: new FamilyTable('ipv4', this.#sets, this.#peers, changed),
      ipv6: new FamilyTable('ipv6', this.#sets, this.#peers, changed),
    };
    this.#advertiser = new Advertiser(self, this.#sets, this.#peers, (table, prefix) => this.#releaseIfUnused(table, prefix));
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

  /** Begins to tell a peer everything that it may have. A walk that is still open for it is ended first. */
  peerUp(number: number, up: PeerUp): void {
    while (this.#walks.some(({ peer }) => peer === number)) this.advance(Number.MAX_SAFE_INTEGER);
    const peer = this.#peers[number]!;
    peer.up = up;
    peer.routerId = up.routerId;
    peer.address = up.remoteAddress;
    peer.external = up.external ?? peer.settings.external;
    for (const family of up.families) peer.outgoing.set(family, new Outgoing());
    this.#tell(number);
  }

  /** Forgets what was sent; what was received goes, or stays as stale until {@link sweepStale} (RFC 4724 §4.2). */
  peerDown(number: number, routes: 'withdraw' | 'keep-stale'): void {
    const peer = this.#peers[number]!;
    peer.up = undefined;
    const outgoing = [...peer.outgoing];
    peer.outgoing.clear();
    for (const [family, out] of outgoing) {
      const table = this.#families[family];
      for (let prefix = 1; prefix < table.prefixes.end; prefix++) {
        const sent = out.sent.get(prefix);
        if (sent !== 0) this.#sets.release(sent);
        if (sent !== 0 || out.dirty.has(prefix)) this.#releaseIfUnused(table, prefix);
      }
    }
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

  /** Sends everything again, RFC 2918. */
  refresh(number: number, family: RoutedFamily): void {
    const out = this.#peers[number]!.outgoing.get(family);
    if (out === undefined) return;
    out.cursor = 1;
    out.again = true;
    this.#tell(number);
  }

  /** RFC 8326: all routes go out with GRACEFUL_SHUTDOWN, or without it again. */
  setDraining(draining: boolean): void {
    this.#advertiser.draining = draining;
    for (const [number, peer] of this.#peers.entries()) for (const family of peer?.outgoing.keys() ?? []) this.refresh(number, family);
  }

  /** An own route: its block, and the next hop to give to internal peers (empty for the speaker itself). */
  originate(family: RoutedFamily, prefix: Uint8Array, block: Uint8Array, nextHop: Uint8Array = new Uint8Array(0)): void {
    const run = { family, bytes: prefix, addPath: false, nextHop };
    this.receive(LOCAL, { withdrawn: [], reach: [run], attributes: block, faults: [] });
  }

  /** Takes an own route back. */
  withdraw(family: RoutedFamily, prefix: Uint8Array): void {
    this.#withdrawRun(LOCAL, { family, bytes: prefix, addPath: false });
  }

  /** Takes in an UPDATE. Once over its limit a peer's session has to end; what came until then is kept. */
  receive(number: number, update: ParsedUpdate): ReceiveResult {
    const peer = this.#peers[number]!;
    for (const run of update.withdrawn) this.#withdrawRun(number, run);
    for (const run of update.reach) {
      const raw = this.#sets.intern(update.attributes, run.nextHop);
      this.#announceRun(number, run, raw);
      this.#sets.release(raw);
    }
    return peer.received > (peer.settings.maxPrefixes ?? Number.POSITIVE_INFINITY) ? 'max-prefixes-exceeded' : 'ok';
  }

  /** Whole messages of at most `maxBytes` together (one at least); undefined when there is nothing to tell. */
  nextUpdates(number: number, maxBytes: number): Uint8Array | undefined {
    const peer = this.#peers[number]!;
    const messages: Uint8Array[] = [];
    let length = 0;
    const most = maxBytes - (peer.up?.maxMessage ?? 0);
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

  /** Goes on with open walks, over at most that many paths. @returns whether there is more to do */
  advance(paths: number): boolean {
    const walk = this.#walks[0];
    if (walk === undefined) return false;
    const end = Math.min(walk.at + paths, walk.table.paths.end);
    for (; walk.at < end; walk.at++) {
      const flags = walk.table.paths.flags[walk.at]!;
      if ((flags & PATH_FLAG.used) !== 0 && walk.table.paths.peer[walk.at] === walk.peer) this.#step(walk, walk.at, flags);
    }
    if (walk.at >= walk.table.paths.end) {
      this.#walks.shift();
      this.#retire(walk.peer);
    }
    return this.#walks.length > 0;
  }

  /** Follows the best routes: all that there are, then what changes. @param maxPaths next hops of one route at most */
  follow(maxPaths: number): RouteFollower {
    const follower = new RouteFollower({
      route: (family, prefix) => this.#best(this.#families[family], prefix, maxPaths),
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
  *routes(family: RoutedFamily): Generator<{ readonly prefix: string; readonly paths: readonly ListedPath[] }> {
    const table = this.#families[family];
    for (let prefix = 1; prefix < table.prefixes.end; prefix++) {
      const paths: ListedPath[] = [];
      for (let path = table.head(prefix); path !== 0; path = table.paths.next[path]!) paths.push(this.#listed(table, prefix, path));
      if (paths.length > 0) yield { prefix: table.prefixes.text(prefix), paths };
    }
  }

  /** Routes of a peer: received (both families), and advertised by family. */
  counts(number: number): { received: number; advertised: { family: RoutedFamily; routes: number }[] } {
    const peer = this.#peers[number]!;
    return { received: peer.received, advertised: [...peer.outgoing].map(([family, out]) => ({ family, routes: out.advertised })) };
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
    if (!peer.removed || this.#walks.some((walk) => walk.peer === number)) return;
    peer.importPolicy.close();
    peer.exportPolicy.close();
    this.#peers[number] = undefined;
    this.#free.push(number);
  }

  #best(table: FamilyTable, prefix: number, maxPaths: number): BestRoute | undefined {
    const [best, ...others] = table.selection.equals(table.head(prefix));
    if (best === undefined) return undefined;
    const attributes = this.#attributes(table.paths.set[best]!);
    const own = table.paths.peer[best] === LOCAL;
    const nextHops = [attributes, ...others.map((path) => this.#attributes(table.paths.set[path]!))].map(
      ({ nextHop, linkLocalNextHop }) => {
        return { nextHop, ...(linkLocalNextHop !== undefined && { linkLocal: linkLocalNextHop }) };
      },
    );
    const distinct = nextHops.filter((hop, i) => nextHops.findIndex(({ nextHop }) => nextHop === hop.nextHop) === i);
    return { own, from: this.#peers[table.paths.peer[best]!]!.settings.name, nextHops: distinct.slice(0, maxPaths), attributes };
  }

  #listed(table: FamilyTable, prefix: number, path: number): ListedPath {
    const { peer, set, raw, flags, identifier } = table.paths;
    return {
      from: this.#peers[peer[path]!]!.settings.name,
      own: peer[path] === LOCAL,
      best: table.best(prefix) === path,
      accepted: set[path] !== 0,
      stale: (flags[path]! & PATH_FLAG.stale) !== 0,
      pathId: identifier[path]!,
      attributes: this.#attributes(set[path]! || raw[path]!),
    };
  }

  #attributes(set: number): PathAttributes {
    return this.#codec.decode(this.#sets.block(set), this.#sets.nextHop(set));
  }

  #announceRun(number: number, run: NlriRun, raw: number): void {
    const table = this.#families[run.family];
    const peer = this.#peers[number]!;
    for (let at = 0; at < run.bytes.length; ) {
      const identifier = run.addPath ? u32(run.bytes, at) : 0;
      if (run.addPath) at += 4;
      const prefix = table.prefixes.find(run.bytes, at, true);
      at += 1 + ((run.bytes[at]! + 7) >>> 3);
      if (table.put(number, prefix, identifier, raw, this.#imported(peer, table, prefix, raw))) peer.received++;
    }
  }

  #withdrawRun(number: number, run: NlriRun): void {
    const table = this.#families[run.family];
    for (let at = 0; at < run.bytes.length; ) {
      const identifier = run.addPath ? u32(run.bytes, at) : 0;
      if (run.addPath) at += 4;
      const prefix = table.prefixes.find(run.bytes, at, false);
      at += 1 + ((run.bytes[at]! + 7) >>> 3);
      const path = prefix === 0 ? 0 : table.path(number, prefix, identifier);
      if (path !== 0) this.#remove(number, table, path);
    }
  }

  #remove(number: number, table: FamilyTable, path: number): void {
    const prefix = table.paths.prefix[path]!;
    table.remove(path);
    this.#peers[number]!.received--;
    this.#releaseIfUnused(table, prefix);
  }

  /** Loops (RFC 4271 §9.1.2, RFC 4456 §8) are kept as received and never used. */
  #imported(peer: RibPeer, table: FamilyTable, prefix: number, raw: number): number {
    if ((this.#sets.flags[raw]! & (SET_FLAG.ownAs | SET_FLAG.ownOriginator | SET_FLAG.ownCluster)) !== 0) return 0;
    if (peer.importPolicy.acceptsAll) return raw;
    const route = {
      family: table.prefixes.family,
      neighbour: peer.settings.name,
      source: peer.external ? 'external' : 'internal',
    } as const;
    return peer.importPolicy.apply(raw, table.prefixes, prefix, route);
  }

  #walk(peer: number, kind: Walk['kind'], family?: RoutedFamily): void {
    for (const table of Object.values(this.#families)) {
      if (family === undefined || table.prefixes.family === family) this.#walks.push({ kind, peer, table, at: 1 });
    }
    for (const listener of this.#onWork) listener();
  }

  #step({ kind, peer, table }: Walk, path: number, flags: number): void {
    if (kind === 'mark-stale') table.paths.flags[path] = flags | PATH_FLAG.stale;
    else if (kind === 'withdraw' || (kind === 'sweep' && (flags & PATH_FLAG.stale) !== 0)) this.#remove(peer, table, path);
    else if (kind === 'reimport') {
      const prefix = table.paths.prefix[path]!;
      const raw = table.paths.raw[path]!;
      table.reconsider(path, this.#imported(this.#peers[peer]!, table, prefix, raw));
    }
  }

  #changed(table: FamilyTable, prefix: number): void {
    for (const follower of this.#followers) follower.push(table.prefixes.family, prefix);
    const set = table.paths.set[table.best(prefix)]!;
    for (let number = 1; number < this.#peers.length; number++) {
      const out = this.#peers[number]?.outgoing.get(table.prefixes.family);
      if (out === undefined) continue;
      const idle = out.dirty.empty && out.cursor === 0;
      out.dirty.push(prefix, set);
      if (idle) this.#tell(number);
    }
  }

  #tell(number: number): void {
    for (const listener of this.#listeners) listener(number);
  }

  #releaseIfUnused(table: FamilyTable, prefix: number): void {
    if (table.head(prefix) !== 0) return;
    for (const follower of this.#followers) if (follower.holds(table.prefixes.family, prefix)) return;
    for (const peer of this.#peers) {
      const out = peer?.outgoing.get(table.prefixes.family);
      if (out !== undefined && (out.sent.get(prefix) !== 0 || out.dirty.has(prefix))) return;
    }
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
