import type { PathAttributes } from '../attribute/path-attributes.ts';
import type { AttributeCodec } from '../policy/compiled-policy.ts';
import type { AttributeStore } from './attribute-store.ts';
import type { FamilyTable } from './family-table.ts';
import { PATH_FLAG } from './path-pool.ts';
import type { RibPeer } from './rib-peer.ts';
import type { BestRoute, ListedPath, NextHop } from './route-follower.ts';

/** Number of the peer that own routes are of. */
export const LOCAL = 0;

/** A prefix with all its paths. */
export interface ListedRoute {
  /** CIDR text. */
  readonly prefix: string;
  readonly paths: readonly ListedPath[];
}

/** A prefix as a peer was told of it. */
export interface AdvertisedRoute {
  /** CIDR text. */
  readonly prefix: string;
  /** Whole seconds that the path is known as it is. */
  readonly age: number;
  /** As they went out. */
  readonly attributes: PathAttributes;
}

/** Numbers and columns of a route table as texts and objects. */
export class RouteReader {
  readonly #sets: AttributeStore;
  readonly #codec: AttributeCodec;
  readonly #peers: readonly (RibPeer | undefined)[];

  readonly #now: () => number;

  /** @param now as paths have it in {@link PathPool.since} */
  constructor(sets: AttributeStore, codec: AttributeCodec, peers: readonly (RibPeer | undefined)[], now: () => number) {
    this.#now = now;
    this.#sets = sets;
    this.#codec = codec;
    this.#peers = peers;
  }

  /** The best route to a prefix. @param maxPaths next hops at most */
  best(table: FamilyTable, prefix: number, maxPaths: number): BestRoute | undefined {
    const [best, ...others] = table.selection.equals(table.head(prefix));
    if (best === undefined) return undefined;
    const attributes = this.#attributes(table.paths.set.get(best));
    const nextHops = [best, ...others].map((path) => {
      const { nextHop, linkLocalNextHop } = path === best ? attributes : this.#attributes(table.paths.set.get(path));
      const { zone } = this.#peers[table.paths.peer.get(path)]!;
      return { nextHop: zoned(nextHop, zone), ...(linkLocalNextHop !== undefined && { linkLocal: zoned(linkLocalNextHop, zone) }) };
    });
    const isSame = (a: NextHop, b: NextHop): boolean => a.nextHop === b.nextHop && a.linkLocal === b.linkLocal;
    const distinct = nextHops.filter((hop, i) => nextHops.findIndex((other) => isSame(other, hop)) === i);
    const from = table.paths.peer.get(best);
    return { own: from === LOCAL, from: this.#name(from), nextHops: distinct.slice(0, maxPaths), attributes };
  }

  /** All that a family has. */
  *routes(table: FamilyTable): Generator<ListedRoute> {
    for (let prefix = 1; prefix < table.prefixes.end; prefix++) {
      const paths: ListedPath[] = [];
      for (let path = table.head(prefix); path !== 0; path = table.paths.next.get(path)) paths.push(this.#path(table, prefix, path));
      if (paths.length > 0) yield { prefix: table.prefixes.text(prefix), paths };
    }
  }

  /** Whole seconds that a path is as it is. */
  age(table: FamilyTable, path: number): number {
    return Math.floor(this.#now() - table.paths.since.get(path));
  }

  #path(table: FamilyTable, prefix: number, path: number): ListedPath {
    const { peer, set, raw, flags, identifier } = table.paths;
    return {
      from: this.#name(peer.get(path)),
      own: peer.get(path) === LOCAL,
      best: table.best(prefix) === path,
      accepted: set.get(path) !== 0,
      stale: (flags.get(path) & PATH_FLAG.stale) !== 0,
      pathId: identifier.u32(path),
      age: this.age(table, path),
      attributes: this.#attributes(set.get(path) || raw.get(path)),
    };
  }

  #name(peer: number): string {
    return this.#peers[peer]!.settings.name;
  }

  #attributes(set: number): PathAttributes {
    return this.#codec.decode(this.#sets.block(set), this.#sets.nextHop(set));
  }
}

/** On the wire no address has a zone: a link-local one is on the interface that the session is on (RFC 4007 §6). */
function zoned(address: string, zone: string): string {
  return zone !== '' && /^fe[89ab]/.test(address) ? `${address}%${zone}` : address;
}
