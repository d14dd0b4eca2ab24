import { type BgpNodePeer, type BgpPeer, matchesSelector } from '@isthmus/model';
import type { Family } from '@isthmus/net';
import type { OperatorNodeRow } from '../pod-cidrs/node-row.ts';

/** A node among those that follow the same cluster config. */
export interface MeshNode extends Pick<OperatorNodeRow, 'name' | 'labels' | 'internalIps'> {
  /** Its AS in the instance that is being expanded; undefined when the agent must know. */
  readonly localASN: number | undefined;
}

/** All nodes of a mesh, made once for all of them: most have sessions with few. */
export interface NodeMesh {
  /** By name. */
  readonly nodes: readonly MeshNode[];
  /** Those that reflect routes; undefined: nobody does, and each has a session with each. */
  readonly reflectors: readonly MeshNode[] | undefined;
}

/** A peer of a mesh as one node sees it. */
export interface MeshPeers {
  readonly peers: readonly BgpNodePeer[];
  /** Where this node reflects routes. */
  readonly clusterID: string | undefined;
}

/** The nodes that a peer with discovery mode NodeMesh stands for. @param nodes by name */
export function nodeMesh(peer: BgpPeer, nodes: readonly MeshNode[]): NodeMesh {
  const selector = peer.autoDiscovery?.nodeMesh?.routeReflector?.nodeSelector;
  return { nodes, reflectors: selector && nodes.filter(({ labels }) => matchesSelector(selector, labels)) };
}

/**
 * What a peer with discovery mode NodeMesh means for `own`: a peer for each other node, or, where route reflectors are chosen, for each
 * reflector; a reflector has all others, those that reflect nothing as its clients (RFC 4456 §4). Nodes without a common family are left out.
 * Peers are named `<peer>/<node>`, in order of the nodes' names.
 */
export function expandNodeMesh(peer: BgpPeer, own: MeshNode, { nodes, reflectors }: NodeMesh): MeshPeers {
  const { autoDiscovery, ...shared } = peer;
  const { addressFamily, routeReflector } = autoDiscovery?.nodeMesh ?? {};
  const reflecting = new Set(reflectors?.map(({ name }) => name));
  const ownReflects = reflecting.has(own.name);
  const peers: BgpNodePeer[] = [];
  for (const node of reflectors === undefined || ownReflects ? nodes : reflectors) {
    const pair = node.name === own.name ? undefined : addressPair(own, node, addressFamily);
    if (!pair) continue;
    peers.push({
      ...shared,
      name: `${peer.name}/${node.name}`,
      peerAddress: pair.peer,
      localAddress: pair.own,
      ...(node.localASN !== undefined && { peerASN: node.localASN }),
      ...(ownReflects && !reflecting.has(node.name) && { routeReflectorClient: true }),
    });
  }
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
