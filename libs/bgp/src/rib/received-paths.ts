import type { NlriRun } from '../message/parsed-update.ts';
import type { AttributeCodec } from '../policy/compiled-policy.ts';
import { changed, type PolicyRoute } from '../policy/policy.ts';
import type { AttributeStore } from './attribute-store.ts';
import { COMMUNITY, SET_FLAG, u32 } from './attribute-summary.ts';
import type { FamilyTable } from './family-table.ts';
import { PATH_FLAG } from './path-pool.ts';
import type { RibPeer } from './rib-peer.ts';
import type { PathWork } from './walks.ts';

/** How a long-lived stale route is known, RFC 9494 §4.2. */
const LAST_RESORT = { addCommunities: [COMMUNITY.llgrStale] };

/** What {@link ReceivedPaths} works with. */
export interface ReceivedPathsOptions {
  readonly sets: AttributeStore;
  readonly codec: AttributeCodec;
  readonly peers: readonly (RibPeer | undefined)[];
  /** Told of a prefix that lost a path. */
  unused(table: FamilyTable, prefix: number): void;
}

/** What comes from peers, and what import policy makes of it: the Adj-RIBs-In of RFC 4271 §3.2. */
export class ReceivedPaths {
  readonly #sets: AttributeStore;
  readonly #codec: AttributeCodec;
  readonly #peers: readonly (RibPeer | undefined)[];
  readonly #unused: ReceivedPathsOptions['unused'];

  constructor({ sets, codec, peers, unused }: ReceivedPathsOptions) {
    this.#sets = sets;
    this.#codec = codec;
    this.#peers = peers;
    this.#unused = unused;
  }

  /** A peer announces prefixes with an attribute set, as received. */
  announce(number: number, table: FamilyTable, run: NlriRun, raw: number): void {
    const peer = this.#peers[number]!;
    const route = routeOf(peer, table);
    for (let at = 0; at < run.bytes.length; ) {
      const identifier = run.addPath ? u32(run.bytes, at) : 0;
      if (run.addPath) at += 4;
      const prefix = table.prefixes.find(run.bytes, at, true);
      at += 1 + ((run.bytes[at]! + 7) >>> 3);
      if (table.put(number, prefix, identifier, raw, this.#imported(peer, table, prefix, raw, route), peer.epoch))
        peer.received[table.prefixes.family]++;
    }
  }

  /** A peer takes prefixes back. */
  withdraw(number: number, table: FamilyTable, run: NlriRun): void {
    for (let at = 0; at < run.bytes.length; ) {
      const identifier = run.addPath ? u32(run.bytes, at) : 0;
      if (run.addPath) at += 4;
      const prefix = table.prefixes.find(run.bytes, at, false);
      at += 1 + ((run.bytes[at]! + 7) >>> 3);
      const path = prefix === 0 ? 0 : table.path(number, prefix, identifier);
      if (path !== 0) this.#remove(number, table, path);
    }
  }

  /** One stop of a walk over a peer's paths. */
  work(table: FamilyTable, path: number, kind: PathWork, peer: number): void {
    const { paths } = table;
    const asks = this.#sets.flags.get(paths.raw.get(path));
    if (kind === 'mark-stale') paths.flags.set(path, paths.flags.get(path) | PATH_FLAG.stale);
    else if (kind === 'reimport') this.#reimportPath(table, path, peer);
    else if (kind === 'keep-long-lived' && (asks & SET_FLAG.noLlgr) === 0) {
      paths.flags.set(path, paths.flags.get(path) | PATH_FLAG.longLived);
      this.#reimportPath(table, path, peer);
    } else this.#remove(peer, table, path);
  }

  #reimportPath(table: FamilyTable, path: number, peer: number): void {
    const { paths } = table;
    const from = this.#peers[peer]!;
    const set = this.#imported(from, table, paths.prefix.get(path), paths.raw.get(path), routeOf(from, table));
    const longLived = (paths.flags.get(path) & PATH_FLAG.longLived) !== 0;
    if (set === 0 || !longLived) {
      table.reconsider(path, set);
      return;
    }
    const attributes = changed(this.#codec.decode(this.#sets.block(set), this.#sets.nextHop(set)), LAST_RESORT);
    const marked = this.#sets.intern(this.#codec.encode(attributes), this.#sets.nextHop(set).slice());
    table.reconsider(path, marked);
    this.#sets.release(marked);
  }

  #remove(number: number, table: FamilyTable, path: number): void {
    const prefix = table.paths.prefix.get(path);
    table.remove(path);
    this.#peers[number]!.received[table.prefixes.family]--;
    this.#unused(table, prefix);
  }

  /** Loops (RFC 4271 §9.1.2, RFC 4456 §8) are kept as received and never used. */
  #imported(peer: RibPeer, table: FamilyTable, prefix: number, raw: number, route: PolicyRoute): number {
    if ((this.#sets.flags.get(raw) & (SET_FLAG.ownAs | SET_FLAG.ownOriginator | SET_FLAG.ownCluster)) !== 0) return 0;
    if (peer.importPolicy.acceptsAll) return raw;
    return peer.importPolicy.apply(raw, table.prefixes, prefix, route);
  }
}

/** What import policy knows of a peer's routes. */
function routeOf({ settings, external }: RibPeer, { prefixes }: FamilyTable): PolicyRoute {
  return { family: prefixes.family, neighbour: settings.name, source: external ? 'external' : 'internal' };
}
