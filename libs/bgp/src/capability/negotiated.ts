import type { RoutedFamily } from '../family/routed-family.ts';
import type { Open } from '../message/open.ts';
import type { Capability, LongLivedFamily } from './capability.ts';

/** What a peer keeps over its restart, RFC 4724 §3. */
export interface PeerRestart {
  readonly restarting: boolean;
  /** Both sides have the N bit, RFC 8538 §2. */
  readonly notification: boolean;
  /** Seconds that the peer takes. */
  readonly restartTime: number;
  readonly families: readonly { readonly family: RoutedFamily; readonly forwarding: boolean }[];
}

/** What both sides of a session have. */
export interface Negotiated {
  readonly families: readonly RoutedFamily[];
  /** By family: whether several paths per prefix come in and may go out, RFC 7911 §4. */
  readonly addPath: Readonly<Record<RoutedFamily, { readonly receive: boolean; readonly send: boolean }>>;
  readonly fourOctetAs: boolean;
  readonly extendedNextHop: boolean;
  readonly extendedMessage: boolean;
  readonly routeRefresh: boolean;
  readonly enhancedRouteRefresh: boolean;
  /** What the peer offers, when this side offers it as well. */
  readonly gracefulRestart?: PeerRestart;
  /** The families that the peer keeps for longer, when both sides offer that, RFC 9494; it goes with graceful restart. */
  readonly longLived?: readonly LongLivedFamily[];
  /** The peer's AS number is not ours. */
  readonly external: boolean;
  /** Seconds; 0 for none. */
  readonly holdTime: number;
}

/** What both OPENs have in common, RFC 5492 §4. A peer without the multiprotocol capability routes IPv4, RFC 4760 §8. */
export function negotiate(ours: Open, theirs: Open): Negotiated {
  const both = (kind: Capability['kind']): boolean =>
    [ours, theirs].every(({ capabilities }) => capabilities.some((one) => one.kind === kind));
  const restart = sharedRestart(ours, theirs);
  const known = families(theirs);
  return {
    families: families(ours).filter((family) => known.includes(family)),
    addPath: { ipv4: sharedAddPath('ipv4', ours, theirs), ipv6: sharedAddPath('ipv6', ours, theirs) },
    fourOctetAs: both('four-octet-as'),
    extendedNextHop: both('extended-next-hop'),
    extendedMessage: both('extended-message'),
    routeRefresh: both('route-refresh'),
    enhancedRouteRefresh: both('enhanced-route-refresh'),
    ...(restart === undefined ? {} : { gracefulRestart: restart }),
    ...(restart !== undefined && both('long-lived-graceful-restart')
      ? { longLived: find(theirs, 'long-lived-graceful-restart')!.families }
      : {}),
    external: ours.asn !== theirs.asn,
    holdTime: Math.min(ours.holdTime, theirs.holdTime),
  };
}

/** The last of a kind counts: RFC 4724 §3 says so of graceful restart, and of the others nobody sends two. */
function find<K extends Capability['kind']>(open: Open, kind: K): Extract<Capability, { kind: K }> | undefined {
  return open.capabilities.findLast((one): one is Extract<Capability, { kind: K }> => one.kind === kind);
}

function families(open: Open): RoutedFamily[] {
  const named = open.capabilities.flatMap((one) => (one.kind === 'multiprotocol' ? [one.family] : []));
  const silent = !open.capabilities.some((one) => one.kind === 'multiprotocol' || (one.kind === 'unknown' && one.code === 1));
  return silent ? ['ipv4'] : [...new Set(named)];
}

function sharedRestart(ours: Open, theirs: Open): PeerRestart | undefined {
  const [mine, other] = [find(ours, 'graceful-restart'), find(theirs, 'graceful-restart')];
  if (mine === undefined || other === undefined) return undefined;
  const { restarting, restartTime, families } = other;
  return { restarting, restartTime, families, notification: mine.notification && other.notification };
}

function sharedAddPath(family: RoutedFamily, ours: Open, theirs: Open): { receive: boolean; send: boolean } {
  const [mine, other] = [ours, theirs].map((open) => find(open, 'add-path')?.families.find((one) => one.family === family));
  return { receive: mine?.receive === true && other?.send === true, send: mine?.send === true && other?.receive === true };
}
