import {
  type BgpInstance,
  type BgpNodeInstance,
  type BgpNodePeer,
  type BgpOverrideInstance,
  type BgpPeer,
  DEFAULT_BGP_PORT,
} from '@isthmus/model';
import type { OperatorNodeRow } from '../pod-cidrs/node-row.ts';
import type { BgpClusterConfigRow, BgpOverrideRow } from './bgp-rows.ts';
import { addressOf, expandNodeMesh, type MeshNode, type NodeMesh, nodeMesh } from './node-mesh.ts';

/** A CiliumBGPNodeConfig as it should be. Key: the node's name. */
export interface BgpNodeConfigRow {
  readonly node: string;
  readonly clusterConfig: string;
  readonly clusterConfigUid: string;
  readonly instances: readonly BgpNodeInstance[];
}

/** A node and what it does otherwise than its cluster config says. */
export interface BgpMember {
  readonly node: OperatorNodeRow;
  readonly override: BgpOverrideRow | undefined;
}

/** The nodes that follow a cluster config with a mesh, by name. Key: the config's name. */
export interface BgpMembers {
  readonly members: readonly BgpMember[];
}

/** What one node does of its cluster config. @param all undefined where there is no mesh */
export function bgpNodeConfig(config: BgpClusterConfigRow, own: BgpMember, all: BgpMembers | undefined): BgpNodeConfigRow {
  return {
    node: own.node.name,
    clusterConfig: config.name,
    clusterConfigUid: config.uid,
    instances: config.instances.map((instance) => nodeInstance(instance, own, all)),
  };
}

const NOBODY: BgpMembers = { members: [] };

/** Whether what a node does depends on the other nodes. */
export function hasNodeMesh({ instances }: BgpClusterConfigRow): boolean {
  return instances.some(({ peers }) => peers?.some(isMesh) ?? false);
}

function isMesh({ autoDiscovery }: BgpPeer): boolean {
  return autoDiscovery?.mode === 'NodeMesh';
}

/** Meshes by their members, and by the peer that stands for them: what concerns all nodes is made once, and not for each of them. */
const meshes = new WeakMap<BgpMembers, Map<BgpPeer, NodeMesh>>();

function meshOf(peer: BgpPeer, instance: BgpInstance, all: BgpMembers): NodeMesh {
  const known = meshes.get(all) ?? new Map<BgpPeer, NodeMesh>();
  meshes.set(all, known);
  let mesh = known.get(peer);
  if (!mesh) {
    mesh = nodeMesh(
      peer,
      all.members.map((member) => meshNode(member, instance)),
    );
    known.set(peer, mesh);
  }
  return mesh;
}

function nodeInstance(instance: BgpInstance, own: BgpMember, all: BgpMembers | undefined): BgpNodeInstance {
  const { peers = [], bmpServers: _, ...shared } = instance;
  const override = overrideOf(own, instance.name);
  const expanded = peers.map((peer) =>
    isMesh(peer) ? expandNodeMesh(peer, meshNode(own, instance), meshOf(peer, instance, all ?? NOBODY)) : undefined,
  );
  const routerID = override?.routerID ?? addressOf(own.node, 4);
  const clusterID = expanded.find((each) => each?.clusterID !== undefined)?.clusterID;
  // Nodes of a mesh connect to each other, so one of two must listen.
  const localPort = override?.localPort ?? instance.localPort ?? (peers.some(isMesh) ? DEFAULT_BGP_PORT : undefined);
  const localASN = override?.localASN ?? instance.localASN;
  return {
    ...shared,
    ...(localASN !== undefined && { localASN }),
    ...(localPort !== undefined && { localPort }),
    ...(routerID !== undefined && { routerID }),
    ...(clusterID !== undefined && { routeReflectorClusterID: clusterID }),
    peers: peers.flatMap((peer, index) => (expanded[index]?.peers ?? [peer]).map((each) => overridden(each, peer.name, override))),
  };
}

function meshNode(member: BgpMember, instance: BgpInstance): MeshNode {
  const { name, labels, internalIps } = member.node;
  return { name, labels, internalIps, localASN: overrideOf(member, instance.name)?.localASN ?? instance.localASN };
}

function overrideOf({ override }: BgpMember, instance: string): BgpOverrideInstance | undefined {
  return override?.instances.find(({ name }) => name === instance);
}

/** An override of a mesh's own name holds for all peers of it; one of `<mesh>/<node>` goes before. */
function overridden(peer: BgpNodePeer, declared: string, override: BgpOverrideInstance | undefined): BgpNodePeer {
  const found = override?.peers?.find(({ name }) => name === peer.name) ?? override?.peers?.find(({ name }) => name === declared);
  return found?.localAddress === undefined ? peer : { ...peer, localAddress: found.localAddress };
}
