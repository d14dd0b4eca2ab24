import { type CiliumBGPPeerConfig, DEFAULT_HOLD_SECONDS } from './kinds/bgp-peer-config.ts';
import type { BgpRouteImport } from './kinds/bgp-route-import.ts';

/** Where peers listen (RFC 4271 §4). */
export const DEFAULT_BGP_PORT = 179;

const DEFAULT_KEEPALIVE_SECONDS = 30;
const DEFAULT_CONNECT_RETRY_SECONDS = 120;
const DEFAULT_RESTART_SECONDS = 120;
const DEFAULT_BFD_MS = 300;
const DEFAULT_BFD_MULTIPLIER = 3;
/** Families of a peer that names none: sessions with both, and nothing to announce in them. */
const DEFAULT_FAMILIES = [
  { afi: 'ipv6', safi: 'unicast' },
  { afi: 'ipv4', safi: 'unicast' },
] as const;

/** The spec of a peer config; undefined for a peer that refers to none, which has all defaults. */
export type BgpPeerSpec = CiliumBGPPeerConfig['spec'] | undefined;

/** Effective times of a peer, seconds. */
export interface BgpPeerTimers {
  readonly connectRetrySeconds: number;
  readonly holdSeconds: number;
  readonly keepAliveSeconds: number;
}

/** Effective times of a peer. A keepalive time that is not given is 30 s, or a third of a shorter hold time (RFC 4271 §4.4). */
export function peerTimers(spec: BgpPeerSpec): BgpPeerTimers {
  const { connectRetryTimeSeconds, holdTimeSeconds, keepAliveTimeSeconds } = spec?.timers ?? {};
  const holdSeconds = holdTimeSeconds ?? DEFAULT_HOLD_SECONDS;
  return {
    connectRetrySeconds: connectRetryTimeSeconds ?? DEFAULT_CONNECT_RETRY_SECONDS,
    holdSeconds,
    keepAliveSeconds: keepAliveTimeSeconds ?? Math.min(DEFAULT_KEEPALIVE_SECONDS, Math.floor(holdSeconds / 3)),
  };
}

/** The port that a peer listens at. */
export function peerPort(spec: BgpPeerSpec): number {
  return spec?.transport?.peerPort ?? DEFAULT_BGP_PORT;
}

/** Hops that packets to a peer of another AS may go. */
export function peerMultihop(spec: BgpPeerSpec): number {
  return spec?.ebgpMultihop ?? 1;
}

/** Seconds that a peer shall keep routes for while this node restarts; undefined when graceful restart is off. */
export function peerRestartSeconds(spec: BgpPeerSpec): number | undefined {
  const { enabled, restartTimeSeconds } = spec?.gracefulRestart ?? {};
  return enabled ? (restartTimeSeconds ?? DEFAULT_RESTART_SECONDS) : undefined;
}

/** Effective BFD parameters. */
export interface BgpPeerBfd {
  readonly transmitMs: number;
  readonly receiveMs: number;
  readonly multiplier: number;
}

/** Effective BFD parameters of a peer; undefined when BFD is off. */
export function peerBfd(spec: BgpPeerSpec): BgpPeerBfd | undefined {
  const bfd = spec?.bfd;
  if (!bfd?.enabled) return undefined;
  return {
    transmitMs: bfd.transmitIntervalMilliseconds ?? DEFAULT_BFD_MS,
    receiveMs: bfd.receiveIntervalMilliseconds ?? DEFAULT_BFD_MS,
    multiplier: bfd.detectionMultiplier ?? DEFAULT_BFD_MULTIPLIER,
  };
}

/** Families of a peer: its own, or both unicast ones with nothing to announce. */
export function peerFamilies(spec: BgpPeerSpec): NonNullable<CiliumBGPPeerConfig['spec']['families']> {
  return spec?.families ?? [...DEFAULT_FAMILIES];
}

/** Which routes are taken from a peer: none unless said otherwise. */
export function peerRouteImport(spec: BgpPeerSpec): BgpRouteImport {
  return spec?.routeImport ?? { mode: 'None' };
}
