import { input, type Store, type Table } from '@isthmus/core';
import type { NativeNodeRow, NodeRow, PeerMode, PeerRow, RoutingModeName, WireGuardTxRow } from '@isthmus/model';

/** Name of an index of a node table by each node's InternalIPs. */
const BY_ADDRESS = 'internal-ip';

/** Nodes by the addresses that others send to. */
export function nodesByAddress(nodes: Table<NodeRow>) {
  return nodes.index(BY_ADDRESS, (row) => row.internalIps);
}

/** How packets may get to other nodes. */
export interface RoutingMode {
  /** `auto`: natively where there is a way, through the tunnel where not. `native`: natively or not at all. */
  readonly mode: RoutingModeName;
  /** Nodes that native routes lead to, by key. */
  readonly native: Table<NativeNodeRow>;
  /** Which WireGuard device sends to a peer, by its address; those without a row are closed. */
  readonly tx: Table<WireGuardTxRow>;
}

/**
 * Declares the table of peers: every InternalIP of every node but this one. When two nodes claim one address, one of an earlier table wins, so
 * that no remote cluster takes over an address of this one; then the first by key, so that all agents agree.
 */
export function declarePeers(
  store: Store,
  nodes: readonly Table<NodeRow>[],
  own: { cluster: string; node: string },
  routing: RoutingMode,
): Table<PeerRow> {
  const indexes = nodes.map((table) => ({ table, index: nodesByAddress(table) }));
  const ownKey = `${own.cluster}/${own.node}`;
  return store.derive<PeerRow>({
    name: 'peers',
    inputs: [
      ...nodes.map((table) => input(table, (_key, row, before) => [...(row?.internalIps ?? []), ...(before?.internalIps ?? [])])),
      input(routing.native, (key) => nodes.flatMap((table) => table.get(key)?.internalIps ?? [])),
      input(routing.tx, (address) => [address]),
    ],
    compute: (address) => {
      for (const { table, index } of indexes) {
        const owners = index.get(address);
        if (owners.has(ownKey)) return undefined;
        const first = [...owners].sort()[0];
        const row = first === undefined ? undefined : table.get(first);
        if (!row) continue;
        const { cluster, clusterId, name: node } = row;
        return { cluster, clusterId, node, mode: modeOf(routing, first!), tx: routing.tx.get(address)?.device ?? 'closed' };
      }
      return undefined;
    },
  });
}

function modeOf({ mode, native }: RoutingMode, node: string): PeerMode {
  if (mode === 'tunnel') return 'tunnel';
  if (native.has(node)) return 'native';
  return mode === 'native' ? 'closed' : 'tunnel';
}
