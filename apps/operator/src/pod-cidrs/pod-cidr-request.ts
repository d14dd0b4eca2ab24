import { input, type Store, type Table } from '@isthmus/core';
import { type Family, parseCidr } from '@isthmus/net';
import type { OperatorNodeRow } from './node-row.ts';

/** A node that lacks pod CIDRs. Key: the node's name. */
export interface PodCidrRequest {
  readonly node: string;
  readonly families: readonly Family[];
}

/** Families of `enabled` that none of the CIDRs has. */
export function missingFamilies(podCidrs: readonly string[], enabled: readonly Family[]): Family[] {
  const present = new Set(podCidrs.map((cidr) => parseCidr(cidr)?.family));
  return enabled.filter((family) => !present.has(family));
}

/** Declares the table of nodes that lack a pod CIDR of an enabled family. */
export function declarePodCidrRequests(store: Store, nodes: Table<OperatorNodeRow>, enabled: readonly Family[]): Table<PodCidrRequest> {
  return store.derive<PodCidrRequest>({
    name: 'pod-cidr-requests',
    inputs: [input(nodes, (key) => [key])],
    compute: (key) => {
      const node = nodes.get(key);
      if (!node) return undefined;
      const families = missingFamilies(node.podCidrs, enabled);
      return families.length === 0 ? undefined : { node: node.name, families };
    },
  });
}
