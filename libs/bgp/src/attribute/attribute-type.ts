/** Path attribute types, IANA registry "BGP Path Attributes". */
export const ATTRIBUTE = {
  origin: 1,
  asPath: 2,
  nextHop: 3,
  med: 4,
  localPref: 5,
  atomicAggregate: 6,
  aggregator: 7,
  communities: 8,
  originatorId: 9,
  clusterList: 10,
  mpReach: 14,
  mpUnreach: 15,
  extendedCommunities: 16,
  as4Path: 17,
  as4Aggregator: 18,
  largeCommunities: 32,
} as const;

/** Bits of the attribute flags, RFC 4271 §4.3. */
export const FLAG = { optional: 0x80, transitive: 0x40, partial: 0x20, extendedLength: 0x10 } as const;

const WELL_KNOWN = FLAG.transitive;
const OPTIONAL = FLAG.optional;
const OPTIONAL_TRANSITIVE = FLAG.optional | FLAG.transitive;

const CATEGORIES: ReadonlyMap<number, number> = new Map([
  [ATTRIBUTE.origin, WELL_KNOWN],
  [ATTRIBUTE.asPath, WELL_KNOWN],
  [ATTRIBUTE.nextHop, WELL_KNOWN],
  [ATTRIBUTE.med, OPTIONAL],
  [ATTRIBUTE.localPref, WELL_KNOWN],
  [ATTRIBUTE.atomicAggregate, WELL_KNOWN],
  [ATTRIBUTE.aggregator, OPTIONAL_TRANSITIVE],
  [ATTRIBUTE.communities, OPTIONAL_TRANSITIVE],
  [ATTRIBUTE.originatorId, OPTIONAL],
  [ATTRIBUTE.clusterList, OPTIONAL],
  [ATTRIBUTE.mpReach, OPTIONAL],
  [ATTRIBUTE.mpUnreach, OPTIONAL],
  [ATTRIBUTE.extendedCommunities, OPTIONAL_TRANSITIVE],
  [ATTRIBUTE.as4Path, OPTIONAL_TRANSITIVE],
  [ATTRIBUTE.as4Aggregator, OPTIONAL_TRANSITIVE],
  [ATTRIBUTE.largeCommunities, OPTIONAL_TRANSITIVE],
]);

/** The Optional and Transitive bits that an attribute of this type must have; undefined for types that the speaker does not know. */
export function categoryOf(type: number): number | undefined {
  return CATEGORIES.get(type);
}
