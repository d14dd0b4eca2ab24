import type { RoutedFamily } from '../family/routed-family.ts';
import type { AttributeStore } from './attribute-store.ts';
import { BestPath, type PathPeer } from './best-path.ts';
import { widened } from './column.ts';
import { PATH_FLAG, PathPool } from './path-pool.ts';
import { PrefixTable } from './prefix-table.ts';

/** All paths of one family and the best of each prefix, the Loc-RIB of RFC 4271 §3.2. */
export class FamilyTable {
  readonly prefixes: PrefixTable;
  readonly paths = new PathPool();
  readonly selection: BestPath;
  readonly #sets: AttributeStore;
  readonly #changed: (table: FamilyTable, prefix: number) => void;
  #head = new Int32Array(1024);
  #best = new Int32Array(1024);

  /** @param changed told of every prefix whose paths changed */
  constructor(
    family: RoutedFamily,
    sets: AttributeStore,
    peers: readonly (PathPeer | undefined)[],
    changed: (table: FamilyTable, prefix: number) => void,
  ) {
    this.prefixes = new PrefixTable(family);
    this.selection = new BestPath(this.paths, sets, peers);
    this.#sets = sets;
    this.#changed = changed;
  }

  /** Number of the best path; 0 when there is none. */
  best(prefix: number): number {
    return this.#best[prefix] ?? 0;
  }

  /** First of the paths of a prefix; the others follow by `paths.next`. */
  head(prefix: number): number {
    return this.#head[prefix] ?? 0;
  }

  /** A peer's path to a prefix; 0 when there is none. */
  path(peer: number, prefix: number, identifier: number): number {
    const { paths } = this;
    let path = this.head(prefix);
    while (path !== 0 && (paths.peer[path] !== peer || paths.identifier[path] !== identifier)) path = paths.next[path]!;
    return path;
  }

  /** Sets a peer's path and takes references to both sets. @param epoch the peer's session @returns whether it is new */
  put(peer: number, prefix: number, identifier: number, raw: number, set: number, epoch: number): boolean {
    if (prefix >= this.#head.length) {
      this.#head = widened(this.#head, this.#head.length * 2);
      this.#best = widened(this.#best, this.#best.length * 2);
    }
    const { paths } = this;
    const found = this.path(peer, prefix, identifier);
    const path = found === 0 ? paths.add(peer, prefix, identifier) : found;
    if (found === 0) {
      paths.next[path] = this.#head[prefix]!;
      this.#head[prefix] = path;
    }
    this.#sets.retain(raw);
    if (set !== 0) this.#sets.retain(set);
    const { raw: oldRaw, set: oldSet } = { raw: paths.raw[path]!, set: paths.set[path]! };
    paths.raw[path] = raw;
    paths.set[path] = set;
    paths.flags[path] = PATH_FLAG.used;
    paths.epoch[path] = epoch;
    this.#reselect(prefix);
    this.#forget(oldRaw, oldSet);
    return found === 0;
  }

  /** Sets what import policy makes of a path that is there; a stale one stays stale. */
  reconsider(path: number, set: number): void {
    const { paths } = this;
    const old = paths.set[path]!;
    if (old === set) return;
    if (set !== 0) this.#sets.retain(set);
    paths.set[path] = set;
    this.#reselect(paths.prefix[path]!);
    this.#forget(0, old);
  }

  /** Takes a path out. The prefix stays until {@link releaseIfUnused}. */
  remove(path: number): void {
    const { paths } = this;
    const prefix = paths.prefix[path]!;
    if (this.#head[prefix] === path) this.#head[prefix] = paths.next[path]!;
    else {
      let before = this.#head[prefix]!;
      while (paths.next[before] !== path) before = paths.next[before]!;
      paths.next[before] = paths.next[path]!;
    }
    const { raw, set } = { raw: paths.raw[path]!, set: paths.set[path]! };
    paths.release(path);
    this.#reselect(prefix);
    this.#forget(raw, set);
  }

  #reselect(prefix: number): void {
    this.#best[prefix] = this.selection.select(this.#head[prefix]!);
    this.#changed(this, prefix);
  }

  #forget(raw: number, set: number): void {
    if (set !== 0) this.#sets.release(set);
    if (raw !== 0) this.#sets.release(raw);
  }
}
