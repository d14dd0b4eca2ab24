import { PagedColumn } from './column.ts';

/** Behind the last prefix of a group. */
const LAST = -1;
/** No group: 0 is that of prefixes without a route. */
const NONE = -1;

/**
 * Prefixes that a peer has to be told of, grouped by attribute set so that those of one set share UPDATEs. A prefix is in it once; whoever takes it
 * looks whether the set is still right, and queues it again if not. Groups wait in a list through the sets, in the order in which they came: a Map
 * would step over all that it has deleted whenever it is asked for its first.
 */
export class DirtyQueue {
  /** By prefix the next of its group. */
  readonly #next = new PagedColumn();
  /** By set the first and the last prefix of its group; 0 when there is none. */
  readonly #head = new PagedColumn();
  readonly #tail = new PagedColumn();
  /** By set the set of the next group. */
  readonly #nextSet = new PagedColumn();
  #firstSet = NONE;
  #lastSet = NONE;

  get empty(): boolean {
    return this.#firstSet === NONE;
  }

  has(prefix: number): boolean {
    return this.#next.get(prefix) !== 0;
  }

  push(prefix: number, set: number): void {
    if (this.has(prefix)) return;
    this.#next.set(prefix, LAST);
    const tail = this.#tail.get(set);
    this.#tail.set(set, prefix);
    if (tail !== 0) {
      this.#next.set(tail, prefix);
      return;
    }
    this.#head.set(set, prefix);
    if (this.#firstSet === NONE) this.#firstSet = set;
    else this.#nextSet.set(this.#lastSet, set);
    this.#lastSet = set;
  }

  /** The group that has waited longest. */
  firstSet(): number | undefined {
    return this.#firstSet === NONE ? undefined : this.#firstSet;
  }

  /** The next prefix of the group that has waited longest, if it is that of `set`, which stays in; 0 when that group has ended. */
  peek(set: number): number {
    return this.#firstSet === set ? this.#head.get(set) : 0;
  }

  /** Takes out what {@link peek} answered. */
  shift(set: number): void {
    const prefix = this.#head.get(set);
    const next = this.#next.get(prefix);
    this.#next.set(prefix, 0);
    if (next !== LAST) {
      this.#head.set(set, next);
      return;
    }
    this.#head.set(set, 0);
    this.#tail.set(set, 0);
    this.#firstSet = this.#lastSet === set ? NONE : this.#nextSet.get(set);
    if (this.#firstSet === NONE) this.#lastSet = NONE;
  }
}
