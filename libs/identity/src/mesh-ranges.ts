import { input, type Store, type Table } from '@isthmus/core';
import type { MeshRangeRow, NodeRow, PeerRow } from '@isthmus/model';
import { nodesByAddress } from './peers.ts';

/**
 * Declares the table of pod CIDRs of all nodes but this one: addresses in them belong to the mesh, also those that no record tells of. When two
 * nodes claim one CIDR, one of an earlier table wins, so that no remote cluster takes over what is this one's; then the first by key, so that all
 * agents agree.
 */
export function declareMeshRanges(
  store: Store,
  nodes: readonly Table<NodeRow>[],
  peers: Table<PeerRow>,
  own: { cluster: string; node: string },
): Table<MeshRangeRow> {
  const indexes = nodes.map((table) => ({
    table,
    index: table.index('pod-cidr', (row) => row.podCidrs),
    byAddress: nodesByAddress(table),
  }));
  const ownKey = `${own.cluster}/${own.node}`;
  return store.derive<MeshRangeRow>({
    name: 'mesh-ranges',
    inputs: [
      ...nodes.map((table) => input(table, (_key, row, before) => [...(row?.podCidrs ?? []), ...(before?.podCidrs ?? [])])),
      input(peers, (address) =>
        indexes.flatMap(({ table, byAddress }) => [...byAddress.get(address)].flatMap((key) => table.get(key)?.podCidrs ?? [])),
      ),
    ],
    compute: (cidr) => {
      for (const { table, index } of indexes) {
        const owners = index.get(cidr);
        if (owners.has(ownKey)) return undefined;
        const [first] = [...owners].sort();
        const row = first === undefined ? undefined : table.get(first);
        if (row) return { peer: row.internalIps.find((address) => peers.has(address)) ?? '', clusterId: row.clusterId };
      }
      return undefined;
    },
  });
}
