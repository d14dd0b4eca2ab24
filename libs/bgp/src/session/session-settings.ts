import type { RoutedFamily } from '../family/routed-family.ts';

/** What is offered of graceful restart, in seconds. */
export interface GracefulRestart {
  /** RFC 4724 §3; at most 4095. */
  readonly restartTime: number;
  /** For how long after that routes may be kept as a last resort, RFC 9494; not at all unless given. At most 16,777,215. */
  readonly longLived?: number;
}

/** What one session is told, apart from its routes. Times are in milliseconds unless named otherwise. */
export interface SessionSettings {
  /** Address of the peer; a link-local one with its zone. */
  readonly address: string;
  /** Port that the peer listens on; 179 unless given. */
  readonly port?: number;
  /** Address to connect from. */
  readonly localAddress?: string;
  readonly localAs: number;
  /** AS number that the peer must have; 0 accepts any. */
  readonly peerAs: number;
  /** IPv4 text. */
  readonly routerId: string;
  /** Families to offer. */
  readonly families: readonly RoutedFamily[];
  /** TCP-MD5 password, RFC 2385. */
  readonly password?: string;
  /** IP TTL of what is sent; 1 towards an external peer keeps the session on the link. */
  readonly ttl?: number;
  /** Least TTL of what is taken, RFC 5082. */
  readonly minTtl?: number;
  /** Never connect, only accept. */
  readonly passive?: boolean;
  /** Seconds, 0 or at least 3; {@link SESSION_DEFAULTS} unless given. */
  readonly holdTime?: number;
  /** Seconds between two KEEPALIVEs at most; a third of the hold time that was settled unless given, and never more. */
  readonly keepaliveTime?: number;
  readonly connectRetryMs?: number;
  /** Absent: not offered. */
  readonly gracefulRestart?: GracefulRestart;
  /** Several paths per prefix, RFC 7911. */
  readonly addPath?: { readonly send: boolean; readonly receive: boolean };
  /** IPv4 routes with IPv6 next hops, RFC 8950. */
  readonly extendedNextHop?: boolean;
}

/** Timers, with where they come from. */
export const SESSION_DEFAULTS = {
  port: 179,
  /** Seconds, RFC 4271 §10. */
  holdTime: 90,
  /** RFC 4271 §10 suggests two minutes; a cluster's peers come back sooner than that. */
  connectRetryMs: 15_000,
  /** "A large value" until the OPEN has come, RFC 4271 §8.2.2. */
  openHoldMs: 240_000,
  /** Least send hold time, RFC 9687 §4.3; otherwise twice the hold time. */
  sendHoldMs: 480_000,
  /** IdleHoldTime, RFC 4271 §8.1.1: doubles with each failure in a row. */
  idleHoldMinMs: 1_000,
  idleHoldMaxMs: 120_000,
  /** A connection that comes in sooner after the session is up crossed it on the way, RFC 4271 §6.8. */
  crossingMs: 1_000,
  /** A session that lived this long was no failure. */
  stableMs: 30_000,
} as const;
