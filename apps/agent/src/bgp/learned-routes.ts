import type { NextHop, RouteChange, RouteFollower } from '@isthmus/bgp';
import type { Store, TableWriter } from '@isthmus/core';
import type { LearnedRouteRow } from '@isthmus/model';
import { type Cidr, parseCidr } from '@isthmus/net';
import type { Hop } from './next-hops.ts';

/** Changes that are taken in one commit. */
const BATCH = 1_000;
/** Destinations that no neighbour has to say anything about (RFC 6890). */
const MARTIANS = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3', '::/128', '::1/128', 'fe80::/10', 'ff00::/8'].map(
  (text) => parseCidr(text)!,
);

/** All of {@link RouteRefusal}. */
export const ROUTE_REFUSALS = ['own-pod-cidr', 'martian', 'unreachable-next-hop'] as const;
/** Why a learned route is not installed. */
export type RouteRefusal = (typeof ROUTE_REFUSALS)[number];

/** What the source works with. */
export interface LearnedRoutesOptions {
  readonly store: Store;
  readonly writer: TableWriter<LearnedRouteRow>;
  /** Networks of this node's own pods. */
  readonly ownCidrs: () => readonly Cidr[];
  /** Where a next hop is; nothing when it is out of reach now. */
  readonly resolve: (hop: NextHop) => readonly Hop[];
  /** Runs something in a later turn of the loop. */
  readonly later: (run: () => void) => void;
}

/**
 * The source of learned routes: the best routes of every speaker, as rows for the kernel. What an earlier run left in the kernel is adopted, and
 * stays until the peers have said what they have now.
 */
export class LearnedRoutes {
  readonly #options: LearnedRoutesOptions;
  /** By prefix, then by speaker, what is known of it. */
  readonly #known = new Map<string, Map<string, readonly NextHop[]>>();
  readonly #refused = new Map<string, RouteRefusal>();
  readonly #followers = new Map<string, RouteFollower>();
  /** Prefixes of an earlier run that nobody has confirmed. */
  #adopted = new Set<string>();
  #complete = false;

  constructor(options: LearnedRoutesOptions) {
    this.#options = options;
  }

  /** Prefixes that are not installed, and why. */
  get refused(): ReadonlyMap<string, RouteRefusal> {
    return this.#refused;
  }

  /** What an earlier run installed. */
  adopt(rows: Iterable<readonly [string, LearnedRouteRow]>): void {
    const { store, writer } = this.#options;
    store.transact(() => {
      for (const [prefix, row] of rows) {
        this.#adopted.add(prefix);
        writer.put(prefix, row);
      }
    });
  }

  /** All peers have said what they have: what was adopted and not confirmed goes. */
  complete(scope: string): void {
    if (this.#complete) return;
    this.#complete = true;
    const { store, writer } = this.#options;
    store.transact(() => {
      for (const prefix of this.#adopted) if (!this.#known.has(prefix)) writer.delete(prefix);
    });
    this.#adopted = new Set();
    writer.synced(scope);
  }

  /** Takes the routes of a speaker from now on. */
  follow(speaker: string, follower: RouteFollower): void {
    this.#followers.set(speaker, follower);
    follower.onChange(() => this.#take(speaker, follower));
  }

  /** The speaker is gone for good, and its routes with it. */
  forget(speaker: string): void {
    this.leave(speaker);
    const { store } = this.#options;
    store.transact(() => {
      for (const [prefix, speakers] of this.#known) if (speakers.has(speaker)) this.#note(speaker, { prefix, nextHops: undefined });
    });
  }

  /** Follows a speaker no more; its routes stay. */
  leave(speaker: string): void {
    this.#followers.get(speaker)?.close();
    this.#followers.delete(speaker);
  }

  /** Own pod CIDRs, or ways to next hops, are others than before. */
  reconsider(): void {
    this.#options.store.transact(() => {
      for (const prefix of this.#known.keys()) this.#write(prefix);
    });
  }

  #take(speaker: string, follower: RouteFollower): void {
    if (this.#followers.get(speaker) !== follower) return;
    const changes = follower.next(BATCH);
    if (changes.length === 0) return;
    this.#options.store.transact(() => {
      for (const change of changes) this.#note(speaker, { prefix: change.prefix, nextHops: learnedHops(change) });
    });
    this.#options.later(() => this.#take(speaker, follower));
  }

  #note(speaker: string, { prefix, nextHops }: { prefix: string; nextHops: readonly NextHop[] | undefined }): void {
    const speakers = this.#known.get(prefix) ?? new Map<string, readonly NextHop[]>();
    if (nextHops === undefined) speakers.delete(speaker);
    else this.#known.set(prefix, speakers.set(speaker, nextHops));
    if (speakers.size === 0) this.#known.delete(prefix);
    this.#write(prefix);
  }

  /** Of several speakers that have a route the first by name counts. */
  #write(prefix: string): void {
    const { writer } = this.#options;
    const speakers = this.#known.get(prefix);
    const [first] = [...(speakers ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    this.#refused.delete(prefix);
    if (first === undefined) {
      if (!this.#adopted.has(prefix)) writer.delete(prefix);
      return;
    }
    const outcome = this.#outcome(prefix, first[1]);
    if (typeof outcome !== 'string') writer.put(prefix, outcome);
    else {
      this.#refused.set(prefix, outcome);
      writer.delete(prefix);
    }
  }

  #outcome(prefix: string, nextHops: readonly NextHop[]): LearnedRouteRow | RouteRefusal {
    const cidr = parseCidr(prefix)!;
    if (MARTIANS.some((each) => each.covers(cidr))) return 'martian';
    if (this.#options.ownCidrs().some((own) => own.covers(cidr))) return 'own-pod-cidr';
    const hops = nextHops.flatMap((hop) => this.#options.resolve(hop));
    const distinct = hops.filter(
      (hop, i) => hops.findIndex(({ address, device }) => address === hop.address && device === hop.device) === i,
    );
    // Which of equals is the best may change: that is no change for packets.
    return distinct.length === 0 ? 'unreachable-next-hop' : { nextHops: distinct.sort(byDeviceAndAddress) };
  }
}

function byDeviceAndAddress(a: Hop, b: Hop): number {
  return (a.device ?? 0) - (b.device ?? 0) || (a.address < b.address ? -1 : 1);
}

/** Where a route leads; undefined when there is none, or it is the node's own. */
function learnedHops({ route }: RouteChange): readonly NextHop[] | undefined {
  return route === undefined || route.own ? undefined : route.nextHops;
}
