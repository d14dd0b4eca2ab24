import { input, type Store, type Table } from '@isthmus/core';
import type { NativeNodeRow, NodeRow } from '@isthmus/model';

/** A pod CIDR that the host reaches through the datapath. Key: the CIDR, canonical text. */
export interface RouteRow {
  readonly clusterId: number;
  readonly mtu: number;
}

/**
 * Declares the table of pod CIDRs, this node's own too, but not those of nodes that other routes lead to (`native`, by key). When two nodes
 * claim one CIDR the first by key counts: either way it goes to BPF.
 */
export function declareRoutes(store: Store, nodes: readonly Table<NodeRow>[], native: Table<NativeNodeRow>, mtu: number): Table<RouteRow> {
  const indexes = nodes.map((table) => ({ table, index: table.index('pod-cidr', (row) => row.podCidrs) }));
  return store.derive<RouteRow>({
    name: 'routes',
    inputs: [
      ...nodes.map((table) => input(table, (_key, row, before) => [...(row?.podCidrs ?? []), ...(before?.podCidrs ?? [])])),
      input(native, (key) => nodes.flatMap((table) => table.get(key)?.podCidrs ?? [])),
    ],
    compute: (cidr) => {
      for (const { table, index } of indexes) {
        const [key] = [...index.get(cidr)].sort();
        const node = key === undefined ? undefined : table.get(key);
        if (node && native.has(key!)) return undefined;
        if (node) return { clusterId: node.clusterId, mtu };
      }
      return undefined;
    },
  });
}
