import type { CiliumNode } from '@isthmus/model';
import { canonicalCidr, canonicalIp } from '@isthmus/net';

/** What the operator keeps of a CiliumNode. */
export interface OperatorNodeRow {
  readonly name: string;
  /** Pod CIDRs that it has, canonical text. */
  readonly podCidrs: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Addresses that other nodes reach it at (InternalIP), canonical text. */
  readonly internalIps: readonly string[];
}

/** The row of a CiliumNode. */
export function nodeRow(node: CiliumNode): OperatorNodeRow {
  const { metadata, spec } = node;
  return {
    name: metadata.name,
    podCidrs: (spec.ipam?.podCIDRs ?? []).flatMap((cidr) => canonicalCidr(cidr) ?? []),
    labels: metadata.labels ?? {},
    internalIps: (spec.addresses ?? []).flatMap(({ type, ip }) => (type === 'InternalIP' ? (canonicalIp(ip) ?? []) : [])),
  };
}
