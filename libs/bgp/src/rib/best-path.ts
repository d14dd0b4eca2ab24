import type { AttributeStore } from './attribute-store.ts';
import { SET_FLAG } from './attribute-summary.ts';
import { PATH_FLAG, type PathPool } from './path-pool.ts';

/** What selection asks of the peer that a path is from. */
export interface PathPeer {
  /** Higher wins before everything else. */
  readonly weight: number;
  readonly external: boolean;
  /** Numbers, for the last two steps of RFC 4271 §9.1.2.2. */
  readonly routerId: number;
  readonly address: Uint8Array;
}

/** Best path selection, RFC 4271 §9.1.2.2 with RFC 4456 §9, by elimination: the order in which paths came in has no say. */
export class BestPath {
  readonly #paths: PathPool;
  readonly #sets: AttributeStore;
  readonly #peers: readonly (PathPeer | undefined)[];
  readonly #left: number[] = [];

  constructor(paths: PathPool, sets: AttributeStore, peers: readonly (PathPeer | undefined)[]) {
    this.#paths = paths;
    this.#sets = sets;
    this.#peers = peers;
  }

  /** The best of a chain of paths; 0 when none may be used. */
  select(head: number): number {
    const { next, set } = this.#paths;
    if (head !== 0 && next.get(head) === 0) return set.get(head) === 0 ? 0 : head;
    const left = this.#left;
    left.length = 0;
    for (let path = head; path !== 0; path = next.get(path)) if (set.get(path) !== 0) left.push(path);
    if (left.length < 2) return left[0] ?? 0;
    this.#eliminateByCost(left);
    this.#eliminateByIdentity(left);
    return left[0]!;
  }

  /** All paths of a chain that cost what the best costs, the best first: their next hops may share the traffic. AS paths may differ. */
  equals(head: number): number[] {
    const best = this.select(head);
    const left: number[] = [];
    for (let path = head; path !== 0; path = this.#paths.next.get(path)) if (this.#paths.set.get(path) !== 0) left.push(path);
    this.#eliminateByCost(left);
    return best === 0 ? [] : [best, ...left.filter((path) => path !== best)];
  }

  #eliminateByCost(left: number[]): void {
    const { set } = this.#paths;
    const sets = this.#sets;
    keepLowest(left, (path) => -this.#preference(path));
    keepLowest(left, (path) => -sets.localPref.u32(set.get(path)));
    keepLowest(left, (path) => sets.pathLength.get(set.get(path)));
    keepLowest(left, (path) => sets.origin.get(set.get(path)));
    this.#eliminateByMed(left);
    keepLowest(left, (path) => (this.#peer(path).external ? 0 : 1));
  }

  /** Long-lived stale paths lose against all others, RFC 9494 §4.3. */
  #preference(path: number): number {
    const stale =
      (this.#paths.flags.get(path) & PATH_FLAG.longLived) | (this.#sets.flags.get(this.#paths.set.get(path)) & SET_FLAG.llgrStale);
    return stale !== 0 ? -1 : this.#peer(path).weight;
  }

  /** MED counts among paths of the same neighbour AS only. */
  #eliminateByMed(left: number[]): void {
    if (left.length < 2) return;
    const { set } = this.#paths;
    const { med, neighbourAs } = this.#sets;
    const before = left.slice();
    left.length = 0;
    for (const path of before) {
      const as = neighbourAs.u32(set.get(path));
      if (!before.some((other) => neighbourAs.u32(set.get(other)) === as && med.u32(set.get(other)) < med.u32(set.get(path))))
        left.push(path);
    }
  }

  #eliminateByIdentity(left: number[]): void {
    const { set, identifier } = this.#paths;
    const sets = this.#sets;
    keepLowest(left, (path) => sets.originator.u32(set.get(path)) || this.#peer(path).routerId);
    keepLowest(left, (path) => sets.clusterLength.get(set.get(path)));
    if (left.length < 2) return;
    left.sort((a, b) => compareBytes(this.#peer(a).address, this.#peer(b).address) || identifier.u32(a) - identifier.u32(b));
  }

  #peer(path: number): PathPeer {
    return this.#peers[this.#paths.peer.get(path)]!;
  }
}

function keepLowest(left: number[], cost: (path: number) => number): void {
  if (left.length < 2) return;
  let lowest = Number.POSITIVE_INFINITY;
  let kept = 0;
  for (const path of left) {
    const value = cost(path);
    if (value > lowest) continue;
    if (value < lowest) kept = 0;
    lowest = value;
    left[kept++] = path;
  }
  left.length = kept;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}
