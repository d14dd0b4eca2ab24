import { type BgpNodePeer, type BgpPeer, matchesSelector } from '@isthmus/model';
import type { Family } from '@isthmus/net';
import type { OperatorNodeRow } from '../pod-cidrs/node-row.ts';

/** A node among those that follow the same cluster config. */
export interface MeshNode extends Pick<OperatorNodeRow, 'name' | 'labels' | 'internalIps'> {
  /** Its AS in the instance that is being expanded; undefined when the agent must know. */
  readonly localASN: number | undefined;
}

/** A peer of a mesh as one node sees it. */
export interface MeshPeers {
  readonly peers: readonly BgpNodePeer[];
  /** Where this node reflects routes. */
  readonly clusterID: string | undefined;
}

/**
 * What a peer with discovery mode NodeMesh means for `own`: a peer for each other node, or, where route reflectors are chosen, for each
 * reflector; a reflector has all others, those that reflect nothing as its clients (RFC 4456 §4). Nodes without a common family are left out.
 * Peers are named `<peer>/<node>`, in order of the nodes' names.
 */
export function expandNodeMesh(peer: BgpPeer, own: MeshNode, others: readonly MeshNode[]): MeshPeers {
  const { addressFamily, routeReflector } = peer.autoDiscovery?.nodeMesh ?? {};
  const reflects = (node: MeshNode): boolean => routeReflector !== undefined && matchesSelector(routeReflector.nodeSelector, node.labels);
  const ownReflects = reflects(own);
  const { autoDiscovery: _, ...shared } = peer;
  const peers = others
    .filter((node) => routeReflector === undefined || ownReflects || reflects(node))
    .flatMap((node): BgpNodePeer[] => {
      const pair = addressPair(own, node, addressFamily);
      if (!pair) return [];
      return [
        {
          ...shared,
          name: `${peer.name}/${node.name}`,
          peerAddress: pair.peer,
          localAddress: pair.own,
          ...(node.localASN !== undefined && { peerASN: node.localASN }),
          ...(ownReflects && !reflects(node) && { routeReflectorClient: true }),
        },
      ];
    });
  return { peers, clusterID: ownReflects ? routeReflector?.clusterID : undefined };
}

function addressPair(own: MeshNode, other: MeshNode, wanted: 'ipv4' | 'ipv6' | undefined): { own: string; peer: string } | undefined {
  const families: readonly Family[] = wanted === undefined ? [4, 6] : [wanted === 'ipv4' ? 4 : 6];
  for (const family of families) {
    const [from, to] = [addressOf(own, family), addressOf(other, family)];
    if (from !== undefined && to !== undefined) return { own: from, peer: to };
  }
  return undefined;
}

/** A node's first address of a family. */
export function addressOf({ internalIps }: Pick<OperatorNodeRow, 'internalIps'>, family: Family): string | undefined {
  return internalIps.find((ip) => ip.includes(':') === (family === 6));
}
