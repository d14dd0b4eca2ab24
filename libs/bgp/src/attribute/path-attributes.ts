/** ORIGIN, RFC 4271 §5.1.1: 0 IGP, 1 EGP, 2 INCOMPLETE. */
export type Origin = 0 | 1 | 2;

/** One segment of an AS path, RFC 4271 §4.3 (b). AS numbers are four octets wide, whatever the peer's are. */
export interface AsPathSegment {
  readonly type: 'sequence' | 'set' | 'confed-sequence' | 'confed-set';
  readonly asns: readonly number[];
}

/** AGGREGATOR, RFC 4271 §5.1.7. */
export interface Aggregator {
  readonly asn: number;
  /** IPv4 text. */
  readonly address: string;
}

/** A large community, RFC 8092 §3: three numbers of 32 bits. */
export interface LargeCommunity {
  readonly global: number;
  readonly local1: number;
  readonly local2: number;
}

/** An attribute that the speaker does not know, RFC 4271 §5: kept as it came when it is transitive. */
export interface UnknownAttribute {
  readonly type: number;
  /** As received, with the Partial bit where the speaker has to set it. */
  readonly flags: number;
  readonly value: Uint8Array;
}

/** The path attributes of a route in the form that policies and people read. Never changes. Absent means not there on the wire. */
export interface PathAttributes {
  readonly origin: Origin;
  readonly asPath: readonly AsPathSegment[];
  /** Canonical text; IPv4 or IPv6 (RFC 8950 allows the latter for IPv4 routes). */
  readonly nextHop: string;
  /** Second address of an IPv6 next hop, RFC 2545 §3. */
  readonly linkLocalNextHop?: string;
  readonly med?: number;
  readonly localPref?: number;
  readonly atomicAggregate?: true;
  readonly aggregator?: Aggregator;
  /** Numbers of 32 bits, RFC 1997. */
  readonly communities?: readonly number[];
  /** Numbers of 64 bits, RFC 4360. */
  readonly extendedCommunities?: readonly bigint[];
  readonly largeCommunities?: readonly LargeCommunity[];
  /** IPv4 text, RFC 4456 §8. */
  readonly originatorId?: string;
  /** IPv4 texts, RFC 4456 §8. */
  readonly clusterList?: readonly string[];
  readonly unknown?: readonly UnknownAttribute[];
}
