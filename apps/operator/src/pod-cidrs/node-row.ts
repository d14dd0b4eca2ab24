import type { CiliumNode } from '@isthmus/model';
import { canonicalCidr, canonicalIp, type Family } from '@isthmus/net';

/** What the operator keeps of a CiliumNode. */
export interface OperatorNodeRow {
  readonly name: string;
  /** Pod CIDRs that it has, canonical text. */
  readonly podCidrs: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Addresses that other nodes reach it at (InternalIP), canonical text. */
  readonly internalIps: readonly string[];
  /** What it wants of pod pools, and has. */
  readonly podPools: readonly NodePodPool[];
}

/** A node's share of a CiliumPodIPPool. */
export interface NodePodPool {
  readonly pool: string;
  /** Addresses that it needs, by family. */
  readonly needed: Readonly<Record<Family, number>>;
  /** CIDRs that it has, canonical text. */
  readonly cidrs: readonly string[];
}

/** The row of a CiliumNode. */
export function nodeRow(node: CiliumNode): OperatorNodeRow {
  const { metadata, spec } = node;
  return {
    name: metadata.name,
    podCidrs: (spec.ipam?.podCIDRs ?? []).flatMap((cidr) => canonicalCidr(cidr) ?? []),
    labels: metadata.labels ?? {},
    internalIps: (spec.addresses ?? []).flatMap(({ type, ip }) => (type === 'InternalIP' ? (canonicalIp(ip) ?? []) : [])),
    podPools: podPools(spec.ipam?.pools ?? {}),
  };
}

function podPools({ requested = [], allocated = [] }: NonNullable<NonNullable<CiliumNode['spec']['ipam']>['pools']>): NodePodPool[] {
  const names = [...new Set([...requested, ...allocated].map(({ pool }) => pool))].sort();
  return names.map((pool) => {
    const needed = requested.find((each) => each.pool === pool)?.needed ?? {};
    const cidrs = allocated.filter((each) => each.pool === pool).flatMap((each) => each.cidrs ?? []);
    return {
      pool,
      needed: { 4: needed['ipv4-addrs'] ?? 0, 6: needed['ipv6-addrs'] ?? 0 },
      cidrs: cidrs.flatMap((cidr) => canonicalCidr(cidr) ?? []),
    };
  });
}
