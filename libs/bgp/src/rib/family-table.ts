import type { RoutedFamily } from '../family/routed-family.ts';
import type { AttributeStore } from './attribute-store.ts';
import { BestPath, type PathPeer } from './best-path.ts';
import { PathPool } from './path-pool.ts';
import { PrefixTable } from './prefix-table.ts';

/** All paths of one family and the best of each prefix, the Loc-RIB of RFC 4271 §3.2. */
export class FamilyTable {
  readonly prefixes: PrefixTable;
  readonly paths = new PathPool();
  readonly selection: BestPath;
  readonly #sets: AttributeStore;
  readonly #changed: (table: FamilyTable, prefix: number) => void;
  /** Seconds, of what comes in from now on. */
  now = 0;

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
    return this.prefixes.best.get(prefix);
  }

  /** First of the paths of a prefix; the others follow by `paths.next`. */
  head(prefix: number): number {
    return this.prefixes.head.get(prefix);
  }

  /** A peer's path to a prefix; 0 when there is none. */
  path(peer: number, prefix: number, identifier: number): number {
    const { paths } = this;
    let path = this.head(prefix);
    while (path !== 0 && (paths.peer.get(path) !== peer || paths.identifier.u32(path) !== identifier)) path = paths.next.get(path);
    return path;
  }

  /** Sets a peer's path and takes references to both sets. @param epoch the peer's session @returns whether it is new */
  put(peer: number, prefix: number, identifier: number, raw: number, set: number, epoch: number): boolean {
    const { paths } = this;
    const found = this.path(peer, prefix, identifier);
    const path = found === 0 ? paths.add(peer, prefix, identifier) : found;
    if (found === 0) {
      paths.next.set(path, this.head(prefix));
      this.prefixes.head.set(prefix, path);
    }
    this.#sets.retain(raw);
    if (set !== 0) this.#sets.retain(set);
    const { raw: oldRaw, set: oldSet } = { raw: paths.raw.get(path), set: paths.set.get(path) };
    paths.raw.set(path, raw);
    paths.set.set(path, set);
    paths.setEpoch(path, epoch);
    if (raw !== oldRaw) paths.since.set(path, this.now);
    this.#reselect(prefix);
    this.#forget(oldRaw, oldSet);
    return found === 0;
  }

  /** Sets what import policy makes of a path that is there; a stale one stays stale. */
  reconsider(path: number, set: number): void {
    const { paths } = this;
    const old = paths.set.get(path);
    if (old === set) return;
    if (set !== 0) this.#sets.retain(set);
    paths.set.set(path, set);
    this.#reselect(paths.prefix.get(path));
    this.#forget(0, old);
  }

  /** Takes a path out. The prefix stays until {@link releaseIfUnused}. */
  remove(path: number): void {
    const { paths } = this;
    const prefix = paths.prefix.get(path);
    if (this.head(prefix) === path) this.prefixes.head.set(prefix, paths.next.get(path));
    else {
      let before = this.head(prefix);
      while (paths.next.get(before) !== path) before = paths.next.get(before);
      paths.next.set(before, paths.next.get(path));
    }
    const { raw, set } = { raw: paths.raw.get(path), set: paths.set.get(path) };
    paths.release(path);
    this.#reselect(prefix);
    this.#forget(raw, set);
  }

  #reselect(prefix: number): void {
    this.prefixes.best.set(prefix, this.selection.select(this.head(prefix)));
    this.#changed(this, prefix);
  }

  #forget(raw: number, set: number): void {
    if (set !== 0) this.#sets.release(set);
    if (raw !== 0) this.#sets.release(raw);
  }
}
