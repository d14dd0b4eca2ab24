import { PagedColumn } from './column.ts';

const LAST = -1;

/**
 * Prefixes that a peer has to be told of, grouped by attribute set so that those of one set share UPDATEs. A prefix is in it once; whoever takes it
 * looks whether the set is still right, and queues it again if not.
 */
export class DirtyQueue {
  readonly #next = new PagedColumn();
  readonly #groups = new Map<number, { head: number; tail: number }>();

  get empty(): boolean {
    return this.#groups.size === 0;
  }

  has(prefix: number): boolean {
    return this.#next.get(prefix) !== 0;
  }

  push(prefix: number, set: number): void {
    if (this.has(prefix)) return;
    this.#next.set(prefix, LAST);
    const group = this.#groups.get(set);
    if (group === undefined) {
      this.#groups.set(set, { head: prefix, tail: prefix });
      return;
    }
    this.#next.set(group.tail, prefix);
    group.tail = prefix;
  }

  /** The group that has waited longest. */
  firstSet(): number | undefined {
    return this.#groups.keys().next().value;
  }

  /** The next of a group, which stays in; 0 when the group has ended. */
  peek(set: number): number {
    return this.#groups.get(set)?.head ?? 0;
  }

  /** Takes out what {@link peek} answered. */
  shift(set: number): void {
    const group = this.#groups.get(set)!;
    const next = this.#next.get(group.head);
    this.#next.set(group.head, 0);
    if (next === LAST) this.#groups.delete(set);
    else group.head = next;
  }

  clear(): void {
    this.#next.clear();
    this.#groups.clear();
  }
}
