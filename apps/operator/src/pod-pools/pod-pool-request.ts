import { input, type Store, type Table } from '@isthmus/core';
import { type Family, familyBits, parseCidr } from '@isthmus/net';
import type { NodePodPool, OperatorNodeRow } from '../pod-cidrs/node-row.ts';
import type { PodPoolFamily, PodPoolRow } from './pod-pool-row.ts';

/** Addresses of a pool that a node lacks. */
export interface PodPoolLack {
  readonly pool: string;
  readonly family: Family;
  /** Undefined: there is no such pool, or it has not this family. */
  readonly source: PodPoolFamily | undefined;
  /** How many shares it takes; 1 where that cannot be known. */
  readonly shares: number;
}

/** A node that has less of pod pools than it needs. Key: the node's name. */
export interface PodPoolRequest {
  readonly node: string;
  readonly lacks: readonly PodPoolLack[];
}

/** Declares the table of nodes that need more addresses of pod pools than they have. */
export function declarePodPoolRequests(store: Store, nodes: Table<OperatorNodeRow>, pools: Table<PodPoolRow>): Table<PodPoolRequest> {
  const asking = nodes.index('pod pool', ({ podPools }) => podPools.map(({ pool }) => pool));
  return store.derive<PodPoolRequest>({
    name: 'pod-pool-requests',
    inputs: [input(nodes, (key) => [key]), input(pools, (key) => asking.get(key))],
    compute: (key) => {
      const lacks = (nodes.get(key)?.podPools ?? []).flatMap((each) => lacksOf(each, pools.get(each.pool)));
      return lacks.length === 0 ? undefined : { node: key, lacks };
    },
  });
}

function lacksOf({ pool, needed, cidrs }: NodePodPool, row: PodPoolRow | undefined): PodPoolLack[] {
  return ([4, 6] as const).flatMap((family) => {
    const has = cidrs.flatMap((text) => parseCidr(text) ?? []).reduce((sum, cidr) => (cidr.family === family ? sum + cidr.size : sum), 0n);
    const lacking = BigInt(needed[family]) - has;
    if (lacking <= 0n) return [];
    const source = row?.families.find((each) => each.family === family);
    return [{ pool, family, source, shares: source ? sharesFor(lacking, source) : 1 }];
  });
}

function sharesFor(addresses: bigint, { family, length }: PodPoolFamily): number {
  const share = 1n << BigInt(familyBits(family) - length);
  return Number((addresses + share - 1n) / share);
}
