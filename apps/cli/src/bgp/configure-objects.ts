import {
  CILIUM_BGP_ADVERTISEMENT,
  CILIUM_BGP_CLUSTER_CONFIG,
  CILIUM_BGP_NODE_CONFIG_OVERRIDE,
  CILIUM_BGP_PEER_CONFIG,
  CILIUM_LOAD_BALANCER_IP_POOL,
  type CiliumBGPNodeConfigOverride,
  parseResource,
  type Resource,
  type ResourceKind,
  SECRET,
} from '@isthmus/model';
import type { BgpAdvertised, BgpPeerOption } from '../options/bgp.ts';
import type { Manifest } from '../resource/parse-manifests.ts';

/** Where agents and the operator look for passwords, unless `bgp-secrets-namespace` says otherwise. */
export const BGP_SECRETS_NAMESPACE = 'kube-system';

const FAMILIES = ['ipv4', 'ipv6'] as const;
type Family = (typeof FAMILIES)[number];

/** What to set up. */
export interface BgpSetup {
  /** Of the objects, and of the instance. */
  readonly name: string;
  /** Absent: sessions are left as they are. */
  readonly sessions?: BgpSessions;
  /** Absent: nodes choose their router id. */
  readonly routerId?: { readonly node: string; readonly routerId: string };
  /** Networks of which LoadBalancer services get addresses; empty: pools are left as they are. */
  readonly pools: readonly string[];
}

/** Who speaks with whom, and about what. */
export interface BgpSessions {
  readonly asn: number;
  readonly peers: readonly BgpPeerOption[];
  readonly advertise: readonly BgpAdvertised[];
  readonly importAll: boolean;
  /** Absent: all nodes. */
  readonly nodeLabels?: Readonly<Record<string, string>>;
  /** Of all sessions; 1 to 80 bytes. */
  readonly password?: string;
}

/**
 * The objects of a setup, in an order in which none refers to one that is not there yet.
 * @throws CodedError RESOURCE_INVALID
 */
export function bgpObjects({ name, sessions, routerId, pools }: BgpSetup): Manifest[] {
  return [
    ...(pools.length === 0 ? [] : [pool(name, pools)]),
    ...(sessions === undefined ? [] : sessionObjects(name, sessions)),
    ...(routerId === undefined ? [] : [override(routerId.node, [{ name, routerID: routerId.routerId }])]),
  ];
}

/** An override that says of other instances what the earlier one said, and of this one what the new one adds. @throws CodedError RESOURCE_INVALID */
export function mergedOverride(fresh: CiliumBGPNodeConfigOverride, earlier: CiliumBGPNodeConfigOverride): Manifest {
  const [own] = fresh.spec.bgpInstances;
  const others = earlier.spec.bgpInstances;
  const isKnown = others.some(({ name }) => name === own?.name);
  const merged = others.map((each) => (each.name === own?.name ? { ...each, ...own } : each));
  return override(earlier.metadata.name, isKnown ? merged : [...merged, own]);
}

function sessionObjects(name: string, sessions: BgpSessions): Manifest[] {
  const families = FAMILIES.filter((family) => sessions.peers.some((peer) => familyOf(peer) === family));
  return [
    ...(sessions.password === undefined ? [] : [secret(name, sessions.password)]),
    advertisement(name, sessions.advertise),
    ...families.map((family) => peerConfig(name, family, sessions)),
    clusterConfig(name, sessions),
  ];
}

function clusterConfig(name: string, { asn, peers, nodeLabels }: BgpSessions): Manifest {
  const entries = peers.map((peer) => ({
    name: peer.address,
    peerAddress: peer.address,
    peerASN: peer.asn,
    peerConfigRef: { name: peerConfigName(name, familyOf(peer)) },
  }));
  return manifest(CILIUM_BGP_CLUSTER_CONFIG, name, {
    ...(nodeLabels && { nodeSelector: { matchLabels: nodeLabels } }),
    bgpInstances: [{ name, localASN: asn, peers: entries }],
  });
}

/** A session is for the routes of the family that it goes over: their next hops are then its addresses. */
function peerConfig(name: string, family: Family, { importAll, password }: BgpSessions): Manifest {
  return manifest(CILIUM_BGP_PEER_CONFIG, peerConfigName(name, family), {
    ...(password !== undefined && { authSecretRef: secretName(name) }),
    gracefulRestart: { enabled: true },
    routeImport: { mode: importAll ? 'All' : 'None' },
    families: [{ afi: family, safi: 'unicast', advertisements: { matchLabels: labels(name) } }],
  });
}

function advertisement(name: string, advertise: readonly BgpAdvertised[]): Manifest {
  const advertisements = advertise.map((what) =>
    what === 'pod-cidr'
      ? { advertisementType: 'PodCIDR' }
      : // An empty selector selects every service.
        { advertisementType: 'Service', service: { addresses: ['LoadBalancerIP'] }, selector: {} },
  );
  return manifest(CILIUM_BGP_ADVERTISEMENT, name, { advertisements }, labels(name));
}

function pool(name: string, networks: readonly string[]): Manifest {
  return manifest(CILIUM_LOAD_BALANCER_IP_POOL, name, { blocks: networks.map((cidr) => ({ cidr })) });
}

function override(node: string, bgpInstances: readonly unknown[]): Manifest {
  return manifest(CILIUM_BGP_NODE_CONFIG_OVERRIDE, node, { bgpInstances });
}

function secret(name: string, password: string): Manifest {
  const metadata = { name: secretName(name), namespace: BGP_SECRETS_NAMESPACE };
  const object = { apiVersion: 'v1', kind: SECRET.kind, metadata, type: 'Opaque', stringData: { password } };
  return { kind: SECRET, object: parseResource(SECRET, object) };
}

function manifest<T extends Resource>(kind: ResourceKind<T>, name: string, spec: object, withLabels?: Record<string, string>): Manifest {
  const metadata = { name, ...(withLabels && { labels: withLabels }) };
  const object = { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, metadata, spec };
  return { kind: kind as unknown as ResourceKind, object: parseResource(kind, object) };
}

/** By these the advertisement is found. */
function labels(name: string): Record<string, string> {
  return { 'isthmus.io/bgp': name };
}

function peerConfigName(name: string, family: Family): string {
  return `${name}-${family}`;
}

function secretName(name: string): string {
  return `bgp-${name}`;
}

function familyOf({ address }: BgpPeerOption): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}
