import { CodedError } from '@isthmus/core';
import { Cidr, type Family, parseCidr } from '@isthmus/net';
import { CidrPool, type CidrPoolOptions } from './cidr-pool.ts';
import { IPAM_CIDR_CONFLICT, IPAM_CIDR_INVALID, IPAM_CIDR_OVERLAP, IPAM_CLUSTER_EXHAUSTED } from './ipam.errors.ts';

/** Two nodes claim the same addresses. */
export interface CidrConflict {
  node: string;
  cidr: string;
  /** Who has them. */
  holder: string;
  holderCidr: string;
}

/**
 * Gives each node a CIDR of each family out of the cluster's pools. All in memory: at start, the owner adopts what the CiliumNode
 * objects say before it allocates anything.
 */
export class CidrAllocator {
  readonly #pools: readonly CidrPool[];
  readonly #byNode = new Map<string, Cidr[]>();
  /** Holder by canonical CIDR. */
  readonly #holders = new Map<string, { node: string; cidr: Cidr }>();
  /** How many CIDRs there are of each family and prefix length. */
  readonly #lengths: Readonly<Record<Family, Map<number, number>>> = { 4: new Map(), 6: new Map() };
  /** CIDRs that cover more than one part of a pool: few, from before a change of the mask size. */
  readonly #larger = new Map<string, Cidr>();

  /**
   * @param pools are used in their order
   * @throws CodedError IPAM_CIDR_INVALID, IPAM_CIDR_OVERLAP
   */
  constructor(pools: readonly CidrPoolOptions[]) {
    this.#pools = pools.map((options) => new CidrPool(options));
    this.#pools.forEach((pool, at) => {
      const other = this.#pools.slice(0, at).find((earlier) => earlier.cidr.overlaps(pool.cidr));
      if (other)
        throw new CodedError(IPAM_CIDR_OVERLAP, `cluster pools ${other.cidr} and ${pool.cidr} overlap`, { object: `${pool.cidr}` });
    });
  }

  /** Families that the pools have, so that each node gets one CIDR of each. */
  get families(): Family[] {
    return [...new Set(this.#pools.map((pool) => pool.cidr.family))];
  }

  /** CIDRs of a node, in the order in which it got them. */
  cidrsOf(node: string): string[] {
    return (this.#byNode.get(node) ?? []).map(String);
  }

  /** Nodes that have CIDRs. */
  get nodes(): string[] {
    return [...this.#byNode.keys()];
  }

  /**
   * Gives the node a CIDR of each family that it has none of, all or nothing.
   * @returns all CIDRs of the node
   * @throws CodedError IPAM_CLUSTER_EXHAUSTED
   */
  allocate(node: string): string[] {
    const has = new Set((this.#byNode.get(node) ?? []).map((cidr) => cidr.family));
    const missing = this.families.filter((family) => !has.has(family));
    const found = missing.map((family) => this.#next(node, family));
    for (const cidr of found) this.#record(node, cidr);
    return this.cidrsOf(node);
  }

  /**
   * Records what a node has already, also outside the pools or of another size. A CIDR that overlaps another node's is left out: who
   * was adopted first keeps it.
   * @returns the CIDRs that were left out; {@link conflictError} makes an error of one
   * @throws CodedError IPAM_CIDR_INVALID when a text is no CIDR; nothing is recorded then
   */
  adopt(node: string, cidrs: readonly string[]): CidrConflict[] {
    const parsed = cidrs.map((text) => readCidr(node, text));
    const conflicts: CidrConflict[] = [];
    for (const cidr of parsed) {
      const holder = this.#overlapping(node, cidr);
      if (holder) conflicts.push({ node, cidr: `${cidr}`, holder: holder.node, holderCidr: `${holder.cidr}` });
      else if (!this.#holders.has(cidr.toString())) this.#record(node, cidr);
    }
    return conflicts;
  }

  /**
   * Takes everything back that a node has; nothing is fine.
   * @returns its CIDRs
   */
  release(node: string): string[] {
    const cidrs = this.#byNode.get(node) ?? [];
    this.#byNode.delete(node);
    for (const cidr of cidrs) {
      this.#holders.delete(cidr.toString());
      this.#larger.delete(cidr.toString());
      this.#countLength(cidr, -1);
      for (const pool of this.#pools) pool.free(cidr);
    }
    return cidrs.map(String);
  }

  #next(node: string, family: Family): Cidr {
    const larger = [...this.#larger.values()];
    for (const pool of this.#pools) {
      const cidr = pool.cidr.family === family ? pool.next(larger) : undefined;
      if (cidr) return cidr;
    }
    throw this.#exhausted(node, family);
  }

  #record(node: string, cidr: Cidr): void {
    const cidrs = this.#byNode.get(node);
    if (cidrs) cidrs.push(cidr);
    else this.#byNode.set(node, [cidr]);
    this.#holders.set(cidr.toString(), { node, cidr });
    this.#countLength(cidr, 1);
    if (this.#pools.some((pool) => pool.isLarger(cidr))) this.#larger.set(cidr.toString(), cidr);
    for (const pool of this.#pools) pool.take(cidr);
  }

  /** What another node has of these addresses. Looks up what may cover them, one look per prefix length in use. */
  #overlapping(node: string, cidr: Cidr): { node: string; cidr: Cidr } | undefined {
    for (const length of this.#lengths[cidr.family].keys()) {
      const holder = length <= cidr.length ? this.#holders.get(new Cidr(cidr.address, length).toString()) : undefined;
      if (holder && holder.node !== node) return holder;
    }
    return this.#inside(node, cidr);
  }

  /** What another node has inside of this CIDR; walks over all when something so small exists. */
  #inside(node: string, cidr: Cidr): { node: string; cidr: Cidr } | undefined {
    if (![...this.#lengths[cidr.family].keys()].some((length) => length > cidr.length)) return undefined;
    for (const holder of this.#holders.values()) if (holder.node !== node && cidr.covers(holder.cidr)) return holder;
    return undefined;
  }

  #countLength(cidr: Cidr, change: 1 | -1): void {
    const lengths = this.#lengths[cidr.family];
    const count = (lengths.get(cidr.length) ?? 0) + change;
    if (count > 0) lengths.set(cidr.length, count);
    else lengths.delete(cidr.length);
  }

  #exhausted(node: string, family: Family): CodedError {
    const pools = this.#pools.filter((pool) => pool.cidr.family === family);
    const parts = pools.map((pool) => `${pool.cidr} (${pool.size} of /${pool.maskSize}, ${pool.taken} taken)`);
    return new CodedError(IPAM_CLUSTER_EXHAUSTED, `no IPv${family} CIDR is free for node ${node} in ${parts.join(', ')}`, { object: node });
  }
}

/** The error for a conflict: names both nodes and both CIDRs. */
export function conflictError(conflict: CidrConflict): CodedError {
  const { node, cidr, holder, holderCidr } = conflict;
  const message = `node ${node} claims ${cidr}, which overlaps ${holderCidr} of node ${holder}`;
  return new CodedError(IPAM_CIDR_CONFLICT, message, { object: node });
}

function readCidr(node: string, text: string): Cidr {
  const cidr = parseCidr(text);
  if (!cidr) throw new CodedError(IPAM_CIDR_INVALID, `node ${node} claims ${JSON.stringify(text)}, which is no CIDR`, { object: node });
  return cidr;
}
