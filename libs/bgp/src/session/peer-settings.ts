import { isDeepStrictEqual } from 'node:util';
import type { RoutedFamily } from '../family/routed-family.ts';
import type { GracefulRestart, SessionSettings } from './session-settings.ts';

/** How a session with a peer is made; what of its routes is wanted is in the route table's own settings. */
export interface PeerConnection {
  /** Port that the peer listens on; 179 unless given. */
  readonly port?: number;
  /** AS number that the peer must have; 0 accepts any. */
  readonly asn: number;
  /** Address to connect from. */
  readonly localAddress?: string;
  /** Both families unless given. */
  readonly families?: readonly RoutedFamily[];
  /** TCP-MD5 password of 1 to 80 bytes, RFC 2385. */
  readonly password?: string;
  /** Hops that an external peer may be away; 1 unless given, which keeps the session on the link. */
  readonly multihop?: number;
  /** Takes packets only from this many hops away, RFC 5082; excludes `multihop`. The peer must do the same. */
  readonly gtsmHops?: number;
  /** Never connect, only accept. */
  readonly passive?: boolean;
  /** Seconds; 90 unless given, 0 for none. */
  readonly holdTime?: number;
  /** Seconds between two KEEPALIVEs at most; a third of the hold time that was settled unless given, and never more. */
  readonly keepaliveTime?: number;
  readonly connectRetryMs?: number;
  /** Offers graceful restart with this restart time in seconds, RFC 4724: `speaker.stop()` then leaves the routes at the peer. */
  readonly gracefulRestart?: GracefulRestart;
  /** Several paths per prefix, RFC 7911. */
  readonly addPath?: { readonly send: boolean; readonly receive: boolean };
  /** IPv4 routes with IPv6 next hops, RFC 8950; offered unless false. */
  readonly extendedNextHop?: boolean;
}

/** Greatest TTL, which RFC 5082 sends with. */
const MAX_TTL = 255;

const SESSION_FIELDS: { readonly [K in keyof Required<PeerConnection>]: true } = {
  port: true,
  asn: true,
  localAddress: true,
  families: true,
  password: true,
  multihop: true,
  gtsmHops: true,
  passive: true,
  holdTime: true,
  keepaliveTime: true,
  connectRetryMs: true,
  gracefulRestart: true,
  addPath: true,
  extendedNextHop: true,
};

/** Whether two settings of a peer make the same session. */
export function sameSession(a: PeerConnection, b: PeerConnection): boolean {
  return Object.keys(SESSION_FIELDS).every((field) =>
    isDeepStrictEqual(a[field as keyof PeerConnection], b[field as keyof PeerConnection]),
  );
}

/** What the session itself needs of it. */
export function sessionSettings(
  peer: PeerConnection & { readonly address: string },
  speaker: { readonly asn: number; readonly routerId: string },
): SessionSettings {
  const { asn, multihop, gtsmHops, families = ['ipv4', 'ipv6'], extendedNextHop = true, ...rest } = peer;
  const external = asn !== speaker.asn && asn !== 0;
  const ttl = external ? { ttl: multihop ?? 1 } : {};
  const hops = gtsmHops === undefined ? ttl : { ttl: MAX_TTL, minTtl: MAX_TTL + 1 - gtsmHops };
  return { ...rest, ...hops, families, extendedNextHop, peerAs: asn, localAs: speaker.asn, routerId: speaker.routerId };
}
