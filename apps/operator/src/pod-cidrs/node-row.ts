import type { CiliumNode } from '@isthmus/model';
import { canonicalCidr } from '@isthmus/net';

/** What the operator keeps of a CiliumNode. */
export interface OperatorNodeRow {
  readonly name: string;
  /** Pod CIDRs that it has, canonical text. */
  readonly podCidrs: readonly string[];
}

/** The row of a CiliumNode. */
export function nodeRow(node: CiliumNode): OperatorNodeRow {
  return { name: node.metadata.name, podCidrs: (node.spec.ipam?.podCIDRs ?? []).flatMap((cidr) => canonicalCidr(cidr) ?? []) };
}
