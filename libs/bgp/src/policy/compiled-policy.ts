import { parseIp } from '@isthmus/net';
import type { PathAttributes } from '../attribute/path-attributes.ts';
import type { AttributeStore } from '../rib/attribute-store.ts';
import type { PrefixTable } from '../rib/prefix-table.ts';
import { changed, matches, type Policy, type PolicyRoute } from './policy.ts';
import { PrefixList } from './prefix-list.ts';

/** Turns attribute blocks into what policies read and back. */
export interface AttributeCodec {
  decode(block: Uint8Array, nextHop: Uint8Array): PathAttributes;
  /** Canonical block without NEXT_HOP. */
  encode(attributes: PathAttributes): Uint8Array;
}

/** Answer for a route that is not accepted. */
export const REJECTED = 0;

/**
 * A policy that is evaluated once per distinct attribute set, route source and outcome of its prefix lists. The cache holds a reference to each
 * answer for as long as somebody uses the asked set.
 */
export class CompiledPolicy {
  readonly #policy: Policy;
  readonly #store: AttributeStore;
  readonly #codec: AttributeCodec;
  readonly #lists: (PrefixList | undefined)[];
  readonly #cache = new Map<number, Map<string, number>>();
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
    for (const set of [...this.#cache.keys()]) this.#forget(set);
  }

  /** The set that `set` becomes, {@link REJECTED} when it is not accepted. Valid as long as the caller has `set`, who retains what it keeps. */
  apply(set: number, table: PrefixTable, prefix: number, route: PolicyRoute): number {
    if (this.#policy.rules.length === 0) return this.acceptsAll ? set : REJECTED;
    let answers = this.#cache.get(set);
    if (answers === undefined) {
      answers = new Map();
      this.#cache.set(set, answers);
    }
    const outcome = this.#outcome(table, prefix, route);
    let answer = answers.get(outcome);
    if (answer === undefined) {
      answer = this.#evaluate(set, outcome, route);
      answers.set(outcome, answer);
    }
    return answer;
  }

  /** One character per rule, 1 where its prefix list has the prefix, and the source behind. */
  #outcome(table: PrefixTable, prefix: number, route: PolicyRoute): string {
    let outcome = '';
    for (const list of this.#lists) outcome += list === undefined || list.has(table, prefix) ? '1' : '0';
    return outcome + route.source + route.family;
  }

  #evaluate(set: number, outcome: string, route: PolicyRoute): number {
    const attributes = this.#codec.decode(this.#store.block(set), this.#store.nextHop(set));
    for (const [i, rule] of this.#policy.rules.entries()) {
      if (outcome[i] === '0' || (rule.match !== undefined && !matches(rule.match, route, attributes))) continue;
      if (rule.action === 'reject') return REJECTED;
      if (rule.set === undefined) return set;
      const nextHop = rule.set.nextHop === undefined ? this.#store.nextHop(set).slice() : parseIp(rule.set.nextHop)!.bytes;
      const answer = this.#store.intern(this.#codec.encode(changed(attributes, rule.set)), nextHop);
      if (answer === set) this.#store.release(answer);
      else this.#store.lend(answer);
      return answer;
    }
    return this.#policy.otherwise === 'accept' ? set : REJECTED;
  }

  #forget(set: number): void {
    const answers = this.#cache.get(set);
    if (answers === undefined) return;
    this.#cache.delete(set);
    for (const answer of answers.values()) if (answer !== REJECTED && answer !== set) this.#store.unlend(answer);
  }
}
