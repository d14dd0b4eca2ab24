import type { RackSession } from './rack-session.ts';
import type { TorRoute, TorSession } from './tor-view.ts';

/** The part of `show bgp … json` that is looked at. */
interface FrrPath {
  readonly aspath?: { readonly segments?: readonly { readonly list: readonly number[] }[] };
  readonly metric?: number;
  readonly locPrf?: number;
  readonly bestpath?: { readonly overall?: boolean };
  readonly community?: { readonly list?: readonly string[] };
  readonly largeCommunity?: { readonly list?: readonly string[] };
  readonly nexthops?: readonly { readonly ip: string; readonly scope?: string }[];
  readonly peer?: { readonly peerId: string };
}

interface FrrNeighbour {
  readonly bgpState?: string;
  readonly peerBfdInfo?: { readonly status?: string };
  readonly addressFamilyInfo?: Readonly<Record<string, { readonly acceptedPrefixCounter?: number }>>;
  readonly lastResetDueTo?: string;
  readonly lastNotificationReason?: string;
}

/** Communities that FRR calls by a name instead of by their numbers. */
const NAMED: Readonly<Record<string, string>> = {
  gracefulShutdown: '65535:0',
  'graceful-shutdown': '65535:0',
  noExport: '65535:65281',
  noAdvertise: '65535:65282',
  localAs: '65535:65283',
};

/** Reads FRR's routes of one prefix. */
export function parseFrrRoutes(prefix: string, text: string): TorRoute[] {
  const { paths = [] } = JSON.parse(text || '{}') as { paths?: readonly FrrPath[] };
  return paths.map((path): TorRoute => {
    const hop = path.nexthops?.find(({ scope }) => scope !== 'link-local') ?? path.nexthops?.[0];
    return {
      prefix,
      peer: path.peer?.peerId ?? '',
      nextHop: hop?.ip ?? '',
      asPath: path.aspath?.segments?.flatMap(({ list }) => list) ?? [],
      communities: (path.community?.list ?? []).map((one) => NAMED[one] ?? one),
      largeCommunities: path.largeCommunity?.list ?? [],
      best: path.bestpath?.overall === true,
      ...(path.locPrf === undefined ? {} : { localPreference: path.locPrf }),
      ...(path.metric === undefined ? {} : { med: path.metric }),
    };
  });
}

/** Reads what FRR says of one session. */
export function parseFrrSession({ peer, family, toNode }: RackSession, text: string): TorSession {
  const neighbour = (JSON.parse(text || '{}') as Record<string, FrrNeighbour>)[peer];
  const state = neighbour?.bgpState ?? 'unknown';
  const received = neighbour?.addressFamilyInfo?.[`${family}Unicast`]?.acceptedPrefixCounter ?? 0;
  const bfd = neighbour?.peerBfdInfo?.status?.toLowerCase() === 'up' ? 'up' : 'down';
  return {
    established: state === 'Established',
    state,
    bfd: toNode ? bfd : 'off',
    received,
    lastError: neighbour?.lastNotificationReason ?? neighbour?.lastResetDueTo ?? '',
  };
}
