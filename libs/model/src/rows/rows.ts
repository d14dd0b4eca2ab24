/** A node of any cluster. Key: `<cluster>/<name>`. */
export interface NodeRow {
  readonly cluster: string;
  readonly clusterId: number;
  readonly name: string;
  /** Addresses that other nodes send to (type InternalIP), canonical text. */
  readonly internalIps: readonly string[];
  /** Every address of the node itself, those inside its pod CIDRs too. */
  readonly hostIps: readonly string[];
  readonly podCidrs: readonly string[];
  readonly encryptionKey: number;
  /** Of a node that {@link hasEpochs} it says nothing. */
  readonly wireguardPublicKey: string;
  /** It says in a {@link WireGuardRow} which keys it has. */
  readonly hasEpochs?: true;
}

/** What an address is. Key: `<cluster>/<ip or prefix>`. */
export interface IpRow {
  readonly cluster: string;
  readonly clusterId: number;
  /** Address or prefix, canonical text. */
  readonly ip: string;
  /** Node that has it, canonical text; empty when unknown. */
  readonly hostIp: string;
  readonly identity: number;
  readonly namespace: string;
  readonly pod: string;
}

/** A numeric identity. Key: the decimal id. */
export interface IdentityRow {
  readonly id: number;
  readonly cluster: string;
  /** Sorted `source:key=value;` text. */
  readonly labels: string;
}

/** How far an endpoint is. Only `ready` ones get packets. */
export type EndpointState = 'waiting-for-identity' | 'regenerating' | 'ready' | 'disconnecting';

/** A pod of this node. Key: the endpoint id, decimal. */
export interface EndpointRow {
  readonly id: number;
  /** Name of the CNI network that it is attached to; empty when that was not written down. */
  readonly network: string;
  readonly containerId: string;
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  /** Host side of the veth pair. */
  readonly interfaceName: string;
  readonly ifindex: number;
  /** Inside the pod. */
  readonly podInterface: string;
  readonly netns: string;
  readonly mac: string;
  readonly hostMac: string;
  /** Empty when the family is off. */
  readonly ipv4: string;
  readonly ipv6: string;
  readonly mtu: number;
  /** Sorted `source:key=value;` text. */
  readonly labels: string;
  /** 0 until one is known. */
  readonly identity: number;
}

/** One address that a service's clients connect to. */
export interface ServicePortRow {
  readonly name: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly port: number;
}

/** Where cross-cluster traffic of a service goes first. */
export type ServiceAffinity = 'none' | 'local' | 'remote';

/** What of a service may be announced outside the cluster. */
export interface ServiceExposure {
  readonly labels: Readonly<Record<string, string>>;
  /** Canonical texts. Those of a LoadBalancer that is another implementation's are left out. */
  readonly loadBalancerIps: readonly string[];
  readonly externalIps: readonly string[];
  /** Clients outside, or inside, are served by nodes that have a backend themselves, and by no others. */
  readonly externalLocal: boolean;
  readonly internalLocal: boolean;
}

/** A service of this cluster. Key: `<namespace>/<name>`. */
export interface ServiceRow {
  readonly namespace: string;
  readonly name: string;
  readonly clusterIps: readonly string[];
  readonly exposure: ServiceExposure;
  readonly ports: readonly ServicePortRow[];
  readonly global: boolean;
  readonly shared: boolean;
  readonly affinity: ServiceAffinity;
}

/** One backend address of a service in one cluster. */
export interface BackendRow {
  readonly ip: string;
  readonly ports: readonly ServicePortRow[];
}

/** A cluster's backends of one service. Key: `<cluster>/<namespace>/<name>` for remote ones, a slice's key for local ones. */
export interface BackendSetRow {
  readonly cluster: string;
  readonly clusterId: number;
  readonly namespace: string;
  readonly name: string;
  readonly backends: readonly BackendRow[];
  /** Backends that still serve while they go away: for those connected to them, and for all when there is no other. Absent: none. */
  readonly terminating?: readonly BackendRow[];
}

/** An address's entry in the datapath. Key: address or prefix, canonical text. */
export interface IpcacheRow {
  readonly identity: number;
  /** Address of the node to send to ({@link PeerRow}'s key); empty: not behind another node. */
  readonly peer: string;
  /** False: nobody has told yet which node has that address. What the datapath holds of the entry stays as it is until then. */
  readonly peerKnown: boolean;
  /** The address is a node's own, not a pod's. */
  readonly node: boolean;
  /** Other nodes' own packets to it go as they are, also where nodes' packets are encrypted. */
  readonly inTheClear?: true;
  /** Cluster that the entry comes from; 0 for what belongs to none. */
  readonly clusterId: number;
}

/** How packets get to another node. */
export type PeerMode = 'tunnel' | 'native' | 'closed';

/** A route that peers announced, for the kernel. Key: the CIDR, canonical text. */
export interface LearnedRouteRow {
  /** Address texts, IPv6 for IPv4 destinations too (RFC 8950); they share the traffic. A link-local one needs its device. At least one. */
  readonly nextHops: readonly { readonly address: string; readonly device?: number }[];
}

/** A node that learned routes lead to without a tunnel. Key: that of the node. */
export type NativeNodeRow = Pick<NodeRow, 'cluster' | 'clusterId' | 'name'>;

/** An address of another node, that packets can be sent to. Key: the address, canonical text. */
export interface PeerRow {
  readonly cluster: string;
  readonly clusterId: number;
  readonly node: string;
  /** `closed`: nothing may be sent there, because no way is known that may be used. */
  readonly mode: PeerMode;
  /** WireGuard device that sends there; `closed`: none may. Of no meaning where encryption is off. */
  readonly tx: 'closed' | WireGuardTxRow['device'];
}

/** A peer that one of the two WireGuard devices may send to. Key: that of the peer. */
export interface WireGuardTxRow {
  readonly device: 'even' | 'odd';
}

/** A pod CIDR of another node, whose addresses belong to the mesh, known or not. Key: the CIDR, canonical text. */
export interface MeshRangeRow {
  /** Address of the node to send to ({@link PeerRow}'s key); empty: not known, so closed. */
  readonly peer: string;
  readonly clusterId: number;
}

/** A local address in the datapath: a pod's, or the node's own. Key: the address, canonical text. */
export interface LocalAddressRow {
  /** Endpoint id; 0 for the node's own addresses. */
  readonly endpoint: number;
  readonly ifindex: number;
  readonly identity: number;
  readonly mac: string;
  readonly hostMac: string;
  /** Only ready ones get packets. */
  readonly ready: boolean;
  /** The node's own address: packets for it go to the host's stack. */
  readonly host: boolean;
}

/** A node's public WireGuard key of an epoch, and the UDP port where that is listened for. */
export interface WireGuardEpoch {
  readonly epoch: number;
  /** Base64. */
  readonly publicKey: string;
  readonly port: number;
  /**
   * SHA-256 of the ML-KEM-768 public key that the node agrees on preshared keys of that epoch with, base64; undefined: it agrees on none. The key itself
   * goes only to those that it is needed by: it is 27 times as long, and everybody reads this.
   */
  readonly kemKeyHash?: string;
}

/** What a node publishes of its WireGuard keys: one value, so that nobody ever sees half of it. Key: `<cluster>/<node>`. */
export interface WireGuardRow {
  readonly cluster: string;
  readonly clusterId: number;
  readonly name: string;
  /** Live ones, the oldest first: two at most. */
  readonly epochs: readonly WireGuardEpoch[];
  /** It sends by no older epoch, but to the laggards. */
  readonly minTx: number;
  /** Nodes, `<cluster>/<node>`, that it cannot send to by its newest epoch yet. Sorted. */
  readonly laggards: readonly string[];
  /** Nodes, `<cluster>/<node>`, that know of no epochs, and whose sessions another even key would end. Sorted; absent: there are none. */
  readonly blockedBy?: readonly string[];
  /** The epoch after that of its cluster, and another cluster that is there or wants it. Only the node's own cluster reads it. */
  readonly wanted?: { readonly epoch: number; readonly cluster: string };
}

/** The epoch that a cluster wants the mesh to be at. Key: the cluster's name. */
export interface WireGuardTargetRow {
  readonly cluster: string;
  readonly clusterId: number;
  readonly target: number;
  /** RFC 3339; when somebody asked for it. */
  readonly startedAt: string;
  /** Who asked, and why; empty when nothing was said. */
  readonly by: string;
  readonly reason: string;
}
