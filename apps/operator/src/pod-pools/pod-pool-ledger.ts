import { CodedError, type Table } from '@isthmus/core';
import { conflictError, freeSubnet } from '@isthmus/ipam';
import { type Cidr, parseCidr } from '@isthmus/net';
import { POD_POOL_EXHAUSTED, POD_POOL_UNUSABLE } from '../operator.errors.ts';
import type { OperatorNodeRow } from '../pod-cidrs/node-row.ts';
import { TableFollower } from '../sinks/follow-table.ts';
import type { PodPoolLack, PodPoolRequest } from './pod-pool-request.ts';

/** A share of a pool that a node gets. */
export interface PodPoolShare {
  readonly pool: string;
  readonly cidr: string;
}

/** What a node gets, and why that is not all it needs. */
export interface PodPoolGrant {
  readonly shares: readonly PodPoolShare[];
  readonly problem: CodedError | undefined;
}

/**
 * Which networks of pod pools are in use: what the table of nodes says, of whatever pool, and what was given and the table does not show yet.
 * Must not be asked before the table is complete.
 */
export class PodPoolLedger {
  readonly #nodes: TableFollower<OperatorNodeRow>;
  /** Networks that other addresses of the cluster come from. */
  readonly #reserved: readonly Cidr[];
  readonly #onConflict: (error: CodedError) => void;
  readonly #shown = new Map<string, readonly Cidr[]>();
  readonly #given = new Map<string, readonly PodPoolShare[]>();

  /**
   * @param reserved no pool may have addresses of these
   * @param onConflict hears of a node that has what another has, too; neither is changed, both may have pods
   */
  constructor(nodes: Table<OperatorNodeRow>, reserved: readonly Cidr[], onConflict: (error: CodedError) => void) {
    this.#nodes = new TableFollower(nodes);
    this.#reserved = reserved;
    this.#onConflict = onConflict;
  }

  /** Takes in what the table says now. */
  catchUp(): void {
    this.#nodes.catchUp(
      () => this.#shown.keys(),
      (name, row) => {
        if (row) this.#show(name, row);
        else {
          this.#shown.delete(name);
          this.#given.delete(name);
        }
      },
    );
  }

  /** The shares that the node lacks; the same again until the table shows them. */
  grant({ node, lacks }: PodPoolRequest): PodPoolGrant {
    const before = this.#given.get(node) ?? [];
    const kept = (lack: PodPoolLack) => before.filter((share) => isOf(share, lack)).slice(0, lack.shares);
    const shares = lacks.flatMap(kept);
    this.#given.set(node, shares); // what is added counts as taken at once
    let problem: CodedError | undefined;
    for (const lack of lacks) {
      for (let missing = lack.shares - kept(lack).length; missing > 0; missing--) {
        const found = this.#next(node, lack);
        if (found instanceof CodedError) {
          problem ??= found;
          break;
        }
        shares.push({ pool: lack.pool, cidr: found.toString() });
      }
    }
    return { shares: [...shares], problem };
  }

  #next(node: string, { pool, family, source }: PodPoolLack): Cidr | CodedError {
    const networks = (source?.networks ?? []).flatMap((text) => parseCidr(text) ?? []);
    const usable = networks.filter((network) => !this.#reserved.some((each) => each.overlaps(network)));
    const what = `IPv${family} addresses of CiliumPodIPPool ${pool}`;
    if (!source || usable.length === 0)
      return new CodedError(POD_POOL_UNUSABLE, `node ${node} gets no ${what}${why(networks)}`, { object: node });
    for (const network of usable) {
      const free = freeSubnet(network, source.length, this.#taken());
      if (free) return free;
    }
    const message = `node ${node} gets no more ${what}: no /${source.length} is free in ${usable.join(', ')}`;
    return new CodedError(POD_POOL_EXHAUSTED, message, { object: node });
  }

  *#taken(): Iterable<Cidr> {
    for (const cidrs of this.#shown.values()) yield* cidrs;
    for (const shares of this.#given.values()) for (const { cidr } of shares) yield parseCidr(cidr)!;
  }

  #show(name: string, { podPools, podCidrs }: OperatorNodeRow): void {
    const inPools = podPools.flatMap(({ cidrs }) => cidrs);
    const cidrs = [...podCidrs, ...inPools].flatMap((text) => parseCidr(text) ?? []);
    const fresh = cidrs.filter((cidr) => !this.#shown.get(name)?.some((each) => each.equals(cidr)));
    this.#shown.set(name, cidrs);
    this.#given.set(
      name,
      (this.#given.get(name) ?? []).filter(({ cidr }) => !inPools.includes(cidr)),
    );
    for (const cidr of fresh) this.#checkConflict(name, cidr);
  }

  #checkConflict(node: string, cidr: Cidr): void {
    for (const [holder, cidrs] of this.#shown) {
      const other = holder === node ? undefined : cidrs.find((each) => each.overlaps(cidr));
      if (other) this.#onConflict(conflictError({ node, cidr: `${cidr}`, holder, holderCidr: `${other}` }));
    }
  }
}

function isOf({ pool, cidr }: PodPoolShare, lack: PodPoolLack): boolean {
  return pool === lack.pool && parseCidr(cidr)?.family === lack.family;
}

function why(networks: readonly Cidr[]): string {
  return networks.length === 0 ? ': it has none' : `: ${networks.join(', ')} are not apart from the cluster's other networks`;
}
