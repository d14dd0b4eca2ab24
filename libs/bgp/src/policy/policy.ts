import type { LargeCommunity, PathAttributes } from '../attribute/path-attributes.ts';
import type { RoutedFamily } from '../family/routed-family.ts';

/** Prefixes within `prefix` whose length is in a range. */
export interface PrefixRange {
  /** CIDR text. */
  readonly prefix: string;
  /** Shortest length that matches; the prefix's own when absent. */
  readonly min?: number;
  /** Longest length that matches; `min` when absent. */
  readonly max?: number;
}

/** Where a route comes from. */
export type RouteSource = 'local' | 'internal' | 'external';

/** What a rule asks; all that is given must hold. */
export interface PolicyMatch {
  /** Any of them. */
  readonly prefixes?: readonly PrefixRange[];
  /** All of them, RFC 1997 numbers. */
  readonly communities?: readonly number[];
  /** All of them, RFC 8092. */
  readonly largeCommunities?: readonly LargeCommunity[];
  readonly asPathContains?: number;
  /** The neighbour AS: the first of the path. */
  readonly asPathStarts?: number;
  readonly asPathLength?: { readonly min?: number; readonly max?: number };
  /** Any of these neighbours (names of peers): the sender on import, the receiver on export. */
  readonly neighbours?: readonly string[];
  readonly family?: RoutedFamily;
  readonly source?: RouteSource;
}

/** What an accepting rule changes. */
export interface PolicyActions {
  readonly localPref?: number;
  /** null takes it away. */
  readonly med?: number | null;
  readonly addCommunities?: readonly number[];
  readonly removeCommunities?: readonly number[];
  readonly replaceCommunities?: readonly number[];
  readonly addLargeCommunities?: readonly LargeCommunity[];
  readonly replaceLargeCommunities?: readonly LargeCommunity[];
  readonly prepend?: { readonly asn: number; readonly times: number };
  /** Address text. */
  readonly nextHop?: string;
}

/** The first rule that matches decides. */
export interface PolicyRule {
  readonly match?: PolicyMatch;
  readonly action: 'accept' | 'reject';
  readonly set?: PolicyActions;
}

/** An import or export policy; what no rule matches gets the default. */
export interface Policy {
  readonly rules: readonly PolicyRule[];
  readonly otherwise: 'accept' | 'reject';
}

/** Accepts all and changes nothing. */
export const ACCEPT_ALL: Policy = { rules: [], otherwise: 'accept' };
/** Accepts nothing: what an external peer without import policy has, RFC 8212. */
export const REJECT_ALL: Policy = { rules: [], otherwise: 'reject' };

/** What a policy knows of a route beside its attributes. */
export interface PolicyRoute {
  readonly family: RoutedFamily;
  readonly neighbour: string;
  readonly source: RouteSource;
}

/** The attributes of a route as matches ask for them: most ask for little, and reading all takes long. */
export interface AskedAttributes {
  hasCommunity(community: number): boolean;
  all(): PathAttributes;
}

/** Whether everything in a match holds except its prefixes. */
export function matches(match: PolicyMatch, route: PolicyRoute, asked: AskedAttributes): boolean {
  if (match.family !== undefined && match.family !== route.family) return false;
  if (match.source !== undefined && match.source !== route.source) return false;
  if (match.neighbours !== undefined && !match.neighbours.includes(route.neighbour)) return false;
  if (match.communities?.some((community) => !asked.hasCommunity(community))) return false;
  if (match.largeCommunities?.some((wanted) => !asked.all().largeCommunities?.some((have) => sameLarge(have, wanted)))) return false;
  return matchesPath(match, asked);
}

function matchesPath({ asPathContains, asPathStarts, asPathLength }: PolicyMatch, asked: AskedAttributes): boolean {
  if (asPathContains === undefined && asPathStarts === undefined && asPathLength === undefined) return true;
  const attributes = asked.all();
  if (asPathContains !== undefined && !attributes.asPath.some(({ asns }) => asns.includes(asPathContains))) return false;
  if (asPathStarts !== undefined && attributes.asPath[0]?.asns[0] !== asPathStarts) return false;
  if (asPathLength === undefined) return true;
  const length = attributes.asPath.reduce((sum, { type, asns }) => sum + (type === 'sequence' ? asns.length : type === 'set' ? 1 : 0), 0);
  return length >= (asPathLength.min ?? 0) && length <= (asPathLength.max ?? Number.POSITIVE_INFINITY);
}

/** The attributes after a rule's changes. */
export function changed(attributes: PathAttributes, set: PolicyActions): PathAttributes {
  const out: { -readonly [K in keyof PathAttributes]: PathAttributes[K] } = { ...attributes };
  if (set.localPref !== undefined) out.localPref = set.localPref;
  if (set.med === null) delete out.med;
  else if (set.med !== undefined) out.med = set.med;
  if (set.nextHop !== undefined) out.nextHop = set.nextHop;
  if (set.prepend !== undefined) {
    const asns = new Array<number>(set.prepend.times).fill(set.prepend.asn);
    out.asPath = [{ type: 'sequence', asns }, ...attributes.asPath];
  }
  const kept = (set.replaceCommunities ?? attributes.communities ?? []).filter((community) => !set.removeCommunities?.includes(community));
  const communities = [...new Set([...kept, ...(set.addCommunities ?? [])])];
  if (communities.length > 0) out.communities = communities;
  else delete out.communities;
  const large = set.replaceLargeCommunities ?? attributes.largeCommunities ?? [];
  const added = (set.addLargeCommunities ?? []).filter((one) => !large.some((have) => sameLarge(have, one)));
  if (large.length + added.length > 0) out.largeCommunities = [...large, ...added];
  else delete out.largeCommunities;
  return out;
}

function sameLarge(a: LargeCommunity, b: LargeCommunity): boolean {
  return a.global === b.global && a.local1 === b.local1 && a.local2 === b.local2;
}
