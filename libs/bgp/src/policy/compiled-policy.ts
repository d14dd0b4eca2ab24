import { parseIp } from '@isthmus/net';
import type { PathAttributes } from '../attribute/path-attributes.ts';
import type { AttributeStore } from '../rib/attribute-store.ts';
import { PagedColumn } from '../rib/column.ts';
import type { PrefixTable } from '../rib/prefix-table.ts';
import { hasCommunity, isPatch, patched } from './block-patch.ts';
import { type AskedAttributes, changed, matches, type Policy, type PolicyActions, type PolicyRoute, type RouteSource } from './policy.ts';
import { PrefixList } from './prefix-list.ts';

/** Turns attribute blocks into what policies read and back. */
export interface AttributeCodec {
  decode(block: Uint8Array, nextHop: Uint8Array): PathAttributes;
  /** Canonical block without NEXT_HOP. */
  encode(attributes: PathAttributes): Uint8Array;
}

/** Answer for a route that is not accepted. */
export const REJECTED = 0;

const SOURCES: readonly RouteSource[] = ['local', 'internal', 'external'];

/** A tree of what was asked: the way to a node is an outcome, which has a number from its first use on. */
class OutcomeNode {
  number = 0;
  readonly #next: (OutcomeNode | undefined)[] = [undefined, undefined, undefined];

  next(branch: number): OutcomeNode {
    const node = this.#next[branch] ?? new OutcomeNode();
    this.#next[branch] = node;
    return node;
  }
}

/** An attribute set of a store: it is decoded when a match asks for more than communities. */
class AskedSet implements AskedAttributes {
  readonly block: Uint8Array;
  readonly #decode: () => PathAttributes;
  #all: PathAttributes | undefined;

  constructor(store: AttributeStore, codec: AttributeCodec, set: number) {
    this.block = store.block(set);
    this.#decode = () => codec.decode(this.block, store.nextHop(set));
  }

  hasCommunity(community: number): boolean {
    return hasCommunity(this.block, community);
  }

  all(): PathAttributes {
    this.#all ??= this.#decode();
    return this.#all;
  }
}

/**
 * A policy that is evaluated once per distinct attribute set, route source and outcome of its prefix lists. The cache holds a reference to each
 * answer for as long as somebody uses the asked set.
 */
export class CompiledPolicy {
  readonly #policy: Policy;
  readonly #store: AttributeStore;
  readonly #codec: AttributeCodec;
  readonly #lists: (PrefixList | undefined)[];
  /** By set, one more than the answer to the outcome that was asked for first, and that outcome. Most sets are asked for one. */
  readonly #first = new PagedColumn();
  readonly #firstOutcome = new PagedColumn();
  /** By set: the answers to its other outcomes. */
  readonly #others = new Map<number, Map<number, number>>();
  readonly #outcomes = new OutcomeNode();
  #numbered = 0;
  readonly #stop: () => void;
  /** True when it neither rejects nor changes anything. */
  readonly acceptsAll: boolean;

  constructor(policy: Policy, store: AttributeStore, codec: AttributeCodec) {
    this.#policy = policy;
    this.#store = store;
    this.#codec = codec;
    this.#lists = policy.rules.map(({ match }) => (match?.prefixes === undefined ? undefined : new PrefixList(match.prefixes)));
    this.acceptsAll = policy.rules.length === 0 && policy.otherwise === 'accept';
    this.#stop = policy.rules.length > 0 ? store.onUnused((set) => this.#forget(set)) : () => undefined;
  }

  /** Ends it: the cache lets go of its answers. */
  close(): void {
    this.#stop();
    for (let set = 1; set < this.#store.end; set++) this.#forget(set);
  }

  /** The set that `set` becomes, {@link REJECTED} when it is not accepted. Valid as long as the caller has `set`, who retains what it keeps. */
  apply(set: number, table: PrefixTable, prefix: number, route: PolicyRoute): number {
    if (this.#policy.rules.length === 0) return this.acceptsAll ? set : REJECTED;
    const outcome = this.#outcome(table, prefix, route);
    const first = this.#first.get(set);
    if (first !== 0 && this.#firstOutcome.get(set) === outcome) return first - 1;
    const known = first === 0 ? undefined : this.#others.get(set)?.get(outcome);
    return known ?? this.#learn(set, outcome, this.#evaluate(set, table, prefix, route));
  }

  #learn(set: number, outcome: number, answer: number): number {
    if (this.#first.get(set) === 0) {
      this.#first.set(set, answer + 1);
      this.#firstOutcome.set(set, outcome);
      return answer;
    }
    const others = this.#others.get(set) ?? new Map<number, number>();
    this.#others.set(set, others.set(outcome, answer));
    return answer;
  }

  /** All that an answer depends on besides the set: which prefix lists have the prefix, source and family. Outcomes are numbered as they come. */
  #outcome(table: PrefixTable, prefix: number, { source, family }: PolicyRoute): number {
    let node = this.#outcomes;
    for (const list of this.#lists) if (list !== undefined) node = node.next(list.has(table, prefix) ? 1 : 0);
    node = node.next(SOURCES.indexOf(source)).next(family === 'ipv4' ? 0 : 1);
    if (node.number === 0) node.number = ++this.#numbered;
    return node.number;
  }

  #evaluate(set: number, table: PrefixTable, prefix: number, route: PolicyRoute): number {
    const asked = new AskedSet(this.#store, this.#codec, set);
    for (const [i, rule] of this.#policy.rules.entries()) {
      if (this.#lists[i]?.has(table, prefix) === false || (rule.match !== undefined && !matches(rule.match, route, asked))) continue;
      if (rule.action === 'reject') return REJECTED;
      if (rule.set === undefined) return set;
      const nextHop = rule.set.nextHop === undefined ? this.#store.nextHop(set).slice() : parseIp(rule.set.nextHop)!.bytes;
      const answer = this.#store.intern(this.#changed(asked, rule.set), nextHop);
      if (answer === set) this.#store.release(answer);
      else this.#store.lend(answer);
      return answer;
    }
    return this.#policy.otherwise === 'accept' ? set : REJECTED;
  }

  #changed(asked: AskedSet, set: PolicyActions): Uint8Array {
    return isPatch(set) ? patched(asked.block, set) : this.#codec.encode(changed(asked.all(), set));
  }

  #forget(set: number): void {
    const first = this.#first.get(set);
    if (first === 0) return;
    const answers = [first - 1, ...(this.#others.get(set)?.values() ?? [])];
    this.#first.set(set, 0);
    this.#others.delete(set);
    for (const answer of answers) if (answer !== REJECTED && answer !== set) this.#store.unlend(answer);
  }
}
