import type { LargeCommunity, Policy, PolicyRule, RoutedFamily } from '@isthmus/bgp';
import type { BgpExportEntry, BgpPeerSettings } from './bgp-rows.ts';

/**
 * Own routes carry the number of their set of entries in a large community of a name that nobody can have (RFC 7300 keeps the last AS number), so
 * that a peer's policy does not grow with the routes. It never leaves the node: each rule that lets a route out replaces it.
 */
const TAG_GLOBAL = 0xffff_ffff;
const FAMILIES: readonly RoutedFamily[] = ['ipv4', 'ipv6'];

/** The mark of an own route of a set of entries. */
export function tagOf(number: number): LargeCommunity {
  return { global: TAG_GLOBAL, local1: 0, local2: number };
}

/** Whether a large community is such a mark. */
export function isTag({ global, local1 }: LargeCommunity): boolean {
  return global === TAG_GLOBAL && local1 === 0;
}

/**
 * What a peer is told: own routes of the sets of entries that name one of the peer's, with the attributes of all of those together (RFC 1997 unions
 * do no harm; of local preferences the highest). A node that reflects tells its peers of the own AS of each other, too.
 * @param sets entries by number
 * @param reflects whether this node reflects routes
 */
export function exportPolicy(
  peer: BgpPeerSettings,
  localAsn: number,
  sets: ReadonlyMap<number, readonly string[]>,
  reflects: boolean,
): Policy {
  const rules = [...sets].flatMap(([number, entries]) =>
    FAMILIES.flatMap((family) => exportRule(peer, localAsn, family, number, entries) ?? []),
  );
  const isInternal = peer.connection.asn === localAsn;
  const reflected: PolicyRule[] = reflects && isInternal ? [{ action: 'accept', match: { source: 'internal' } }] : [];
  return { rules: [...rules, ...reflected], otherwise: 'reject' };
}

function exportRule(
  { exports, med, prepend }: BgpPeerSettings,
  localAsn: number,
  family: RoutedFamily,
  number: number,
  entries: readonly string[],
): PolicyRule | undefined {
  const wanted = exports[family].filter(({ entry }) => entries.includes(entry));
  if (wanted.length === 0) return undefined;
  return {
    action: 'accept',
    match: { source: 'local', family, largeCommunities: [tagOf(number)] },
    set: {
      ...attributesOf(wanted),
      ...(med !== undefined && { med }),
      ...(prepend !== undefined && { prepend: { asn: localAsn, times: prepend } }),
    },
  };
}

function attributesOf(entries: readonly BgpExportEntry[]): NonNullable<PolicyRule['set']> {
  const communities = [...new Set(entries.flatMap((each) => each.communities))];
  const large = new Map(entries.flatMap((each) => each.largeCommunities).map((one) => [`${one.global}:${one.local1}:${one.local2}`, one]));
  const preferences = entries.flatMap(({ localPref }) => localPref ?? []);
  return {
    replaceLargeCommunities: [...large.values()],
    ...(communities.length > 0 && { addCommunities: communities }),
    ...(preferences.length > 0 && { localPref: Math.max(...preferences) }),
  };
}
