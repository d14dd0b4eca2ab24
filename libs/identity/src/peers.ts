import { input, type Store, type Table } from '@isthmus/core';
import type { NodeRow, PeerRow } from '@isthmus/model';

/** Name of an index of a node table by each node's InternalIPs. */
const BY_ADDRESS = 'internal-ip';

/** Nodes by the addresses that others send to. */
export function nodesByAddress(nodes: Table<NodeRow>) {
  return nodes.index(BY_ADDRESS, (row) => row.internalIps);
}

/**
 * Declares the table of peers: every InternalIP of every node but this one. When two nodes claim one address, the first by key wins, so that
 * all agents agree.
 */
export function declarePeers(store: Store, nodes: readonly Table<NodeRow>[], own: { cluster: string; node: string }): Table<PeerRow> {
  const indexes = nodes.map((table) => ({ table, index: nodesByAddress(table) }));
  const ownKey = `${own.cluster}/${own.node}`;
  return store.derive<PeerRow>({
    name: 'peers',
    inputs: nodes.map((table) => input(table, (_key, row, before) => [...(row?.internalIps ?? []), ...(before?.internalIps ?? [])])),
    compute: (address) => {
      const owners = indexes.flatMap(({ table, index }) => [...index.get(address)].map((key) => ({ key, row: table.get(key) })));
      if (owners.some(({ key }) => key === ownKey)) return undefined;
      const first = owners.sort((a, b) => (a.key < b.key ? -1 : 1))[0]?.row;
      return first && { cluster: first.cluster, clusterId: first.clusterId, node: first.name, mode: 'tunnel' };
    },
  });
}
