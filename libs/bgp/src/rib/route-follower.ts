import type { PathAttributes } from '../attribute/path-attributes.ts';
import type { RoutedFamily } from '../family/routed-family.ts';

/** Where packets of a route go. */
export interface NextHop {
  /** Address text; empty for the speaker itself. A link-local one has the zone of its peer's session behind `%`, if that has one. */
  readonly nextHop: string;
  /** Second address of an IPv6 next hop, RFC 2545 §3; zone as above. */
  readonly linkLocal?: string;
}

/** The best route to a prefix. */
export interface BestRoute {
  /** The speaker's own. */
  readonly own: boolean;
  /** Name of the peer that it is from; empty for own routes. */
  readonly from: string;
  /** The best first, then those of equal cost. */
  readonly nextHops: readonly NextHop[];
  readonly attributes: PathAttributes;
}

/** A prefix whose best route changed. */
export interface RouteChange {
  readonly family: RoutedFamily;
  /** CIDR text. */
  readonly prefix: string;
  /** undefined: there is none any more. */
  readonly route: BestRoute | undefined;
}

/** One path to a prefix, as people see it. */
export interface ListedPath {
  /** Name of the peer; empty for own routes. */
  readonly from: string;
  readonly own: boolean;
  readonly best: boolean;
  /** Import policy took it, and it is no loop. */
  readonly accepted: boolean;
  /** Kept while its peer restarts. */
  readonly stale: boolean;
  /** RFC 7911; 0 without ADD-PATH. */
  readonly pathId: number;
  /** Whole seconds that it is known as it is; one that its peer keeps over a restart, and sends again unchanged, grows on. */
  readonly age: number;
  /** After import policy, where that took it; otherwise as received. */
  readonly attributes: PathAttributes;
}

/** What a {@link RouteFollower} needs of its table; prefixes are numbers there. */
export interface FollowedTable {
  route(family: RoutedFamily, prefix: number): BestRoute | undefined;
  text(family: RoutedFamily, prefix: number): string;
  /** The follower refers to this prefix no more. */
  told(family: RoutedFamily, prefix: number): void;
  closed(follower: RouteFollower): void;
}

/** Whoever does something with the best routes, a kernel's table for instance: pulls what changed, in its own time. */
export class RouteFollower {
  readonly #table: FollowedTable;
  readonly #dirty = { ipv4: new Set<number>(), ipv6: new Set<number>() };
  /** What was last told of each prefix that has a route. */
  readonly #told = { ipv4: new Map<number, string>(), ipv6: new Map<number, string>() };
  #listener: (() => void) | undefined;
  #telling = false;

  constructor(table: FollowedTable) {
    this.#table = table;
  }

  /** Tells when there is something to pull after there was nothing: at the end of the turn, so that what changes together is pulled together. */
  onChange(listener: () => void): void {
    this.#listener = listener;
    if (!this.#idle) this.#tell();
  }

  /** A prefix may have another best route now. */
  push(family: RoutedFamily, prefix: number): void {
    const idle = this.#idle;
    this.#dirty[family].add(prefix);
    if (idle) this.#tell();
  }

  /** Never at once: the table is in the middle of a change, and whoever pulled now might free what it still works with. */
  #tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      if (!this.#idle) this.#listener?.();
    });
  }

  /** Whether the number of a prefix must stay what it is. */
  holds(family: RoutedFamily, prefix: number): boolean {
    return this.#dirty[family].has(prefix) || this.#told[family].has(prefix);
  }

  /** What changed since: at most `most` changes, none of them twice. Fewer do not mean that there are no more: an empty answer does. */
  next(most: number): RouteChange[] {
    const changes: RouteChange[] = [];
    for (const family of ['ipv4', 'ipv6'] as const) {
      for (const prefix of this.#dirty[family]) {
        if (changes.length >= most) return changes;
        this.#dirty[family].delete(prefix);
        const change = this.#change(family, prefix);
        if (change !== undefined) changes.push(change);
      }
    }
    return changes;
  }

  /** Follows no more. */
  close(): void {
    this.#listener = undefined;
    this.#table.closed(this);
    for (const family of ['ipv4', 'ipv6'] as const) {
      const held = new Set([...this.#dirty[family], ...this.#told[family].keys()]);
      this.#dirty[family].clear();
      this.#told[family].clear();
      for (const prefix of held) this.#table.told(family, prefix);
    }
  }

  get #idle(): boolean {
    return this.#dirty.ipv4.size === 0 && this.#dirty.ipv6.size === 0;
  }

  #change(family: RoutedFamily, prefix: number): RouteChange | undefined {
    const told = this.#told[family];
    const route = this.#table.route(family, prefix);
    const now = route && signature(route);
    if (now === told.get(prefix)) {
      if (now === undefined) this.#table.told(family, prefix);
      return undefined;
    }
    const text = this.#table.text(family, prefix);
    if (now !== undefined) told.set(prefix, now);
    else {
      told.delete(prefix);
      this.#table.told(family, prefix);
    }
    return { family, prefix: text, route };
  }
}

/** What a follower hears of: where packets go, and whose word that is. */
function signature({ own, from, nextHops }: BestRoute): string {
  return [own ? '' : from, ...nextHops.map(({ nextHop, linkLocal = '' }) => `${nextHop}%${linkLocal}`)].join('|');
}
