import type { PeerConnection, PeerRouting, Policy, RoutedFamily } from '@isthmus/bgp';
import type { BgpPeerBfd, LabelSelector } from '@isthmus/model';
import type { SecretText } from './secret-text.ts';

/** One BGP speaker of this node. Key: its name. */
export interface BgpInstanceRow {
  readonly asn: number;
  /** IPv4 text. */
  readonly routerId: string;
  /** 0: does not listen. */
  readonly listenPort: number;
  /** IPv4 text; set where this node reflects routes, RFC 4456. */
  readonly clusterId?: string;
  /** Networks of peers that need no names: the speaker knows them from its start on. */
  readonly ranges: readonly BgpRangeRow[];
}

/** What all peers have, named or of a range. */
export interface BgpPeerSettings {
  readonly connection: Omit<PeerConnection, 'password'>;
  readonly routing: Omit<PeerRouting, 'exportPolicy' | 'importPolicy'> & { readonly importPolicy: Policy };
  readonly password?: SecretText;
  /** MULTI_EXIT_DISC of what it is told. */
  readonly med?: number;
  /** How often the own AS is put before the path, besides the one time that RFC 4271 asks for. */
  readonly prepend?: number;
  /** By family, what it is told of. */
  readonly exports: { readonly [F in RoutedFamily]: BgpExport };
}

/** What a peer is told of in one family: entries of advertisements, by number (see {@link BgpEntryRow}), and their attributes. */
export type BgpExport = readonly BgpExportEntry[];

/** One entry of an advertisement as a peer gets it. */
export interface BgpExportEntry {
  readonly entry: string;
  readonly communities: readonly number[];
  readonly largeCommunities: readonly { readonly global: number; readonly local1: number; readonly local2: number }[];
  readonly localPref?: number;
}

/** Peers that connect from a network. */
export interface BgpRangeRow extends BgpPeerSettings {
  readonly network: string;
}

/** A peer of this node. Key: `<instance>/<name>`. */
export interface BgpPeerRow extends BgpPeerSettings {
  readonly instance: string;
  readonly name: string;
  /** Canonical text, a link-local one with its zone. */
  readonly address: string;
  readonly bfd?: BgpPeerBfd;
}

/** A peer that cannot be had as it is configured. Key: `<instance>/<name>`, or the instance alone. */
export interface BgpRefusalRow {
  readonly reason: string;
}

/** One entry of an advertisement. Key: `<advertisement>#<position>`. */
export interface BgpEntryRow extends Omit<BgpExportEntry, 'entry'> {
  readonly type: 'PodCIDR' | 'CiliumPodIPPool' | 'Service' | 'Interface';
  /** Labels of the advertisement, by which families of peers select it. */
  readonly labels: Readonly<Record<string, string>>;
  /** Which services or pools; absent: none. */
  readonly selector?: LabelSelector;
  readonly serviceAddresses: readonly ('LoadBalancerIP' | 'ClusterIP' | 'ExternalIP')[];
  /** Lengths of the networks that are announced instead of single addresses; undefined: the addresses. */
  readonly aggregation: { readonly ipv4?: number; readonly ipv6?: number };
  readonly interface?: string;
}

/** Prefixes that something on this node has to announce, and by which entries. Key: `<what>/<its name>`. */
export interface BgpOriginRow {
  readonly prefixes: readonly { readonly prefix: string; readonly entries: readonly string[] }[];
}

/** A prefix that this node announces, to those peers that one of the entries concerns. Key: the CIDR, canonical text. */
export interface BgpRouteRow {
  /** Sorted. */
  readonly entries: readonly string[];
  /** Nothing on this node routes it: whatever has it, service or pool, is served without a route, or not at all. */
  readonly unrouted: boolean;
}
