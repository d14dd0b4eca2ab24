import type { RoutedFamily } from '../family/routed-family.ts';
import type { CompiledPolicy } from '../policy/compiled-policy.ts';
import type { Policy } from '../policy/policy.ts';
import { PagedColumn } from './column.ts';
import { DirtyQueue } from './dirty-queue.ts';
import { SentPaths } from './sent-paths.ts';

/** What a peer is configured to be. */
export interface RibPeerSettings {
  /** Name for policies and people. */
  readonly name: string;
  readonly external: boolean;
  readonly routeReflectorClient?: boolean;
  /** Absent: nothing is accepted from external peers (RFC 8212), everything from internal ones. */
  readonly importPolicy?: Policy;
  /** Absent: everything may be sent. */
  readonly exportPolicy?: Policy;
  /** Prefixes of both families together. */
  readonly maxPrefixes?: number;
  /** Towards internal peers; external ones always get it. */
  readonly nextHopSelf?: boolean;
  /** Higher is preferred before everything else; 0 when absent. */
  readonly weight?: number;
}

/** What a session has settled. */
export interface PeerUp {
  readonly families: readonly RoutedFamily[];
  readonly routerId: number;
  readonly remoteAddress: Uint8Array;
  /** Of a session between link-local addresses: the interface that it is on, which next hops of the peer are on as well. */
  readonly zone?: string;
  /** Own address by family: the next hop of what is sent. A family without one gets no routes with the speaker as next hop. */
  readonly nextHopSelf: { readonly [F in RoutedFamily]?: Uint8Array };
  readonly maxMessage: number;
  /** Families of which it takes several paths of a prefix, RFC 7911; none unless given. */
  readonly severalPaths?: readonly RoutedFamily[];
  /** It has the capability of RFC 9494, and may be told of last resorts; not unless given. */
  readonly longLived?: boolean;
  /** What is sent again is framed, RFC 7313; not unless given. */
  readonly enhancedRefresh?: boolean;
  /** What its OPEN says; what the settings say unless given. */
  readonly external?: boolean;
  /** AS numbers go out two octets wide, RFC 6793 §4.2.2; four unless given. */
  readonly twoOctetAs?: boolean;
  /** IPv4 routes may have IPv6 next hops, RFC 8950; not unless given. */
  readonly extendedNextHop?: boolean;
}

/** One family towards one peer: the Adj-RIB-Out of RFC 4271 §3.2 and what is still to be sent. */
export class Outgoing {
  readonly dirty = new DirtyQueue();
  /** Attribute set that was sent, before what changes towards the peer; 0 for none. With {@link paths} 1 for some. */
  readonly sent = new PagedColumn();
  /** Where it takes several paths of a prefix: all that was sent. */
  readonly paths: SentPaths | undefined;
  /** Peer that it was from, plus one. With {@link paths} 0 where all is to be sent again. */
  readonly from = new PagedColumn();
  /** Where the first dump or a refresh stands; 0 when there is none. */
  cursor = 1;
  /** The walk at the cursor is a refresh: what was sent is sent again. */
  again = false;
  endOfRib = false;
  /** What is still to be said around what is sent again, RFC 7313 §4. */
  marks: 'none' | 'begin' | 'end' = 'none';
  advertised = 0;

  constructor(severalPaths = false) {
    this.paths = severalPaths ? new SentPaths() : undefined;
  }
}

/** A peer as the table knows it. */
export class RibPeer {
  settings: RibPeerSettings;
  importPolicy: CompiledPolicy;
  exportPolicy: CompiledPolicy;
  external: boolean;
  /** It is no longer configured: it goes when its last path has. */
  removed = false;
  /** Sessions so far, in 16 bits. */
  epoch = 0;
  routerId = 0;
  address: Uint8Array = new Uint8Array(0);
  /** Of its link-local next hops, those that are kept while it is away included; empty when the session is on no interface. */
  zone = '';
  up: PeerUp | undefined;
  /** Paths that it has here, by family. */
  readonly received = { ipv4: 0, ipv6: 0 };
  readonly outgoing = new Map<RoutedFamily, Outgoing>();

  constructor(settings: RibPeerSettings, importPolicy: CompiledPolicy, exportPolicy: CompiledPolicy) {
    this.settings = settings;
    this.importPolicy = importPolicy;
    this.exportPolicy = exportPolicy;
    this.external = settings.external;
  }

  get weight(): number {
    return this.settings.weight ?? 0;
  }
}
