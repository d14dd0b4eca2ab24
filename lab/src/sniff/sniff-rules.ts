import { ENCRYPTION_EXEMPTIONS, WIREGUARD_PORTS } from '@isthmus/model';
import { ETCD_PORT, JOIN_API_PORT, MESH_ETCD_PORT } from '../control-plane/cluster-files.ts';
import type { Addresses, ClusterPlan, LabPlan, NodePlace } from '../topology/plan.ts';
import type { FrameKind } from './frame-kind.ts';

/** What a port is of. */
export interface PortRule {
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
  readonly kind: Extract<FrameKind, 'wireguard' | 'exempt' | 'tunnel'>;
}

/** Whose an address is. `node`: it encrypts what it sends to other nodes; `open`: it is no pod's, and cannot encrypt. */
export interface PlaceRule {
  /** Canonical text of a network. */
  readonly network: string;
  readonly kind: 'pod' | 'node' | 'open';
}

/** What the sniffers judge frames by. */
export interface SniffRules {
  readonly ports: readonly PortRule[];
  readonly places: readonly PlaceRule[];
}

/** What agents' etcds and join APIs are reached at: TLS, with certificates both ways. */
const CONTROL_PORTS: readonly number[] = [ETCD_PORT, MESH_ETCD_PORT, JOIN_API_PORT];
/** Of VXLAN, here and by its registration, and of GENEVE. */
const TUNNEL_PORTS: readonly number[] = [8472, 4789, 6081];
/** Groups, and addresses that are good for one cable. */
const LINK_NETWORKS: readonly string[] = ['224.0.0.0/4', 'ff00::/8', 'fe80::/10'];

/**
 * What may pass on the cables of a lab whose nodes encrypt: this list, and what `frame.h` knows of ARP and neighbour discovery. Everything that it does
 * not name is forbidden.
 */
export function sniffRules(plan: LabPlan): SniffRules {
  const wireguard = Object.values<number>(WIREGUARD_PORTS);
  const exempt = ENCRYPTION_EXEMPTIONS.flatMap(({ protocol, ports }) => ports.map((port) => ({ protocol, port })));
  const control = CONTROL_PORTS.map((port) => ({ protocol: 'TCP' as const, port }));
  return {
    ports: [
      ...[...exempt, ...control].map((each): PortRule => ({ ...each, kind: wireguard.includes(each.port) ? 'wireguard' : 'exempt' })),
      ...TUNNEL_PORTS.map((port): PortRule => ({ protocol: 'UDP', port, kind: 'tunnel' })),
    ],
    places: [...LINK_NETWORKS.map((network): PlaceRule => ({ network, kind: 'open' })), ...plan.clusters.flatMap(clusterPlaces)],
  };
}

function clusterPlaces({ topology, control, gateway, nodes }: ClusterPlan): PlaceRule[] {
  const { pods, services } = topology;
  return [
    ...[pods, services].flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]).map((network): PlaceRule => ({ network, kind: 'pod' })),
    ...[control.addresses, gateway].flatMap((addresses) => single(addresses, 'open')),
    ...nodes.flatMap((node) => single(node.addresses, encryptsItself(node) ? 'node' : 'open')),
  ];
}

function encryptsItself({ config }: NodePlace): boolean {
  return config['encrypt-node'] === 'true';
}

function single({ ipv4, ipv6 }: Addresses, kind: PlaceRule['kind']): PlaceRule[] {
  return [
    { network: `${ipv4}/32`, kind },
    { network: `${ipv6}/128`, kind },
  ];
}
