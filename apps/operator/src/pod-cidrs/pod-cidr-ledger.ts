import type { CodedError, Table } from '@isthmus/core';
import { CidrAllocator, conflictError } from '@isthmus/ipam';
import { type Family, parseCidr } from '@isthmus/net';
import type { PodPool } from '../settings.ts';
import { TableFollower } from '../sinks/follow-table.ts';
import type { OperatorNodeRow } from './node-row.ts';

/**
 * Which pod CIDRs are in use: what the table of nodes says, whoever gave it, and what was given and the table does not show yet. Must not be
 * asked before the table is complete.
 */
export class PodCidrLedger {
  readonly #allocators: ReadonlyMap<Family, CidrAllocator>;
  readonly #nodes: TableFollower<OperatorNodeRow>;
  readonly #onConflict: (error: CodedError) => void;
  readonly #known = new Set<string>();

  /**
   * @param onConflict hears of a node that claims what another has; neither is changed, both may have pods
   * @throws CodedError IPAM_CIDR_INVALID, IPAM_CIDR_OVERLAP when the pools cannot be used
   */
  constructor(nodes: Table<OperatorNodeRow>, pools: ReadonlyMap<Family, PodPool>, onConflict: (error: CodedError) => void) {
    this.#nodes = new TableFollower(nodes);
    this.#onConflict = onConflict;
    const allocator = ({ networks, length }: PodPool): CidrAllocator =>
      new CidrAllocator(networks.map((cidr) => ({ cidr: cidr.toString(), maskSize: length })));
    this.#allocators = new Map([...pools].map(([family, pool]) => [family, allocator(pool)]));
  }

  /** Takes in what the table says now. */
  catchUp(): void {
    this.#nodes.catchUp(
      () => this.#known,
      (name, row) => {
        if (row) this.#adopt(name, row);
        else this.#release(name);
      },
    );
  }

  /**
   * The node's CIDR of a family; the same again until the table shows what became of it.
   * @throws CodedError IPAM_CLUSTER_EXHAUSTED
   */
  give(node: string, family: Family): string {
    this.#known.add(node);
    const [cidr] = this.#allocators.get(family)!.allocate(node);
    return cidr!;
  }

  #adopt(name: string, { podCidrs }: OperatorNodeRow): void {
    this.#known.add(name);
    for (const [family, allocator] of this.#allocators) {
      const claimed = podCidrs.filter((cidr) => parseCidr(cidr)?.family === family);
      if (claimed.length === 0 || claimed.join() === allocator.cidrsOf(name).join()) continue;
      allocator.release(name);
      for (const conflict of allocator.adopt(name, claimed)) this.#onConflict(conflictError(conflict));
    }
  }

  #release(name: string): void {
    this.#known.delete(name);
    for (const allocator of this.#allocators.values()) allocator.release(name);
  }
}
