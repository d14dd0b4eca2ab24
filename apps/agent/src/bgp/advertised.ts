import {
  type BgpAdvertisementEntry,
  type CiliumBGPAdvertisement,
  type LabelSelector,
  matchesSelector,
  parseCommunity,
  type ServiceRow,
} from '@isthmus/model';
import { Cidr, hostCidr, parseCidr, parseIp } from '@isthmus/net';
import type { BgpEntryRow, BgpOriginRow } from './bgp-rows.ts';

/** Labels that selectors of services may name besides the service's own. */
const SERVICE_LABELS = { name: 'io.kubernetes.service.name', namespace: 'io.kubernetes.service.namespace' } as const;

/** Labels that selectors of pod pools may name besides the pool's own. Pools have no namespace. */
const POOL_LABELS = { name: 'io.cilium.podippool.name', namespace: 'io.cilium.podippool.namespace' } as const;

/** The entries of an advertisement, by position. */
export function advertisementEntries({ metadata, spec }: CiliumBGPAdvertisement): BgpEntryRow[] {
  return spec.advertisements.map((entry) => entryRow(entry, metadata.labels ?? {}));
}

function entryRow(entry: BgpAdvertisementEntry, labels: Readonly<Record<string, string>>): BgpEntryRow {
  const { communities, localPreference } = entry.attributes ?? {};
  const named = [...(communities?.standard ?? []), ...(communities?.wellKnown ?? []), ...(communities?.large ?? [])];
  const parsed = named.map((text) => parseCommunity(text)).filter((community) => community !== undefined);
  const { aggregationLengthIPv4: ipv4, aggregationLengthIPv6: ipv6 } = entry.service ?? {};
  return {
    type: entry.advertisementType,
    labels,
    ...(entry.selector && { selector: entry.selector }),
    communities: parsed.flatMap((community) => ('standard' in community ? [community.standard] : [])),
    largeCommunities: parsed.flatMap((community) => ('large' in community ? [largeOf(community.large)] : [])),
    ...(localPreference !== undefined && { localPref: localPreference }),
    serviceAddresses: entry.service?.addresses ?? [],
    aggregation: { ...(ipv4 !== undefined && { ipv4 }), ...(ipv6 !== undefined && { ipv6 }) },
    ...(entry.interface && { interface: entry.interface.name }),
  };
}

function largeOf([global, local1, local2]: readonly [number, number, number]): BgpEntryRow['largeCommunities'][number] {
  return { global, local1, local2 };
}

/** Entries by their keys. */
export type Entries = Iterable<readonly [key: string, entry: BgpEntryRow]>;

/** What a node announces of its own pod CIDRs. */
export function podCidrOrigin(cidr: string, entries: Entries): BgpOriginRow | undefined {
  return originOf([...entries].flatMap(([key, { type }]) => (type === 'PodCIDR' ? [{ prefix: cidr, entry: key }] : [])));
}

/** What a node announces of its share of a pod pool. @param labels the pool's; undefined: there is no such pool (any more) */
export function podPoolOrigin(
  pool: string,
  cidr: string,
  labels: Readonly<Record<string, string>> | undefined,
  entries: Entries,
): BgpOriginRow | undefined {
  if (labels === undefined) return undefined;
  const all = { ...labels, [POOL_LABELS.name]: pool, [POOL_LABELS.namespace]: '' };
  return originOf(
    [...entries].flatMap(([key, { type, selector }]) =>
      type === 'CiliumPodIPPool' && selects(selector, all) ? [{ prefix: cidr, entry: key }] : [],
    ),
  );
}

/** What a node announces of an address of one of its devices: that address alone. */
export function interfaceOrigin(device: string, address: string, entries: Entries): BgpOriginRow | undefined {
  const ip = parseIp(address);
  if (ip === undefined) return undefined;
  const prefix = hostCidr(ip).toString();
  return originOf(
    [...entries].flatMap(([key, entry]) => (entry.type === 'Interface' && entry.interface === device ? [{ prefix, entry: key }] : [])),
  );
}

/**
 * What a node announces of a service. @param servedHere whether this node has a backend that is ready, which matters where the service's traffic
 * policy is Local
 */
export function serviceOrigin(service: ServiceRow, entries: Entries, servedHere: () => boolean): BgpOriginRow | undefined {
  const { exposure } = service;
  if (exposure === undefined) return undefined;
  const labels = { ...exposure.labels, [SERVICE_LABELS.name]: service.name, [SERVICE_LABELS.namespace]: service.namespace };
  const found: { prefix: string; entry: string }[] = [];
  for (const [key, entry] of entries) {
    if (entry.type !== 'Service' || !selects(entry.selector, labels)) continue;
    for (const kind of entry.serviceAddresses) {
      const local = kind === 'ClusterIP' ? exposure.internalLocal : exposure.externalLocal;
      if (local && !servedHere()) continue;
      const lengths = local ? {} : entry.aggregation;
      for (const address of addressesOf(service, kind))
        found.push(...aggregate(address, lengths).map((prefix) => ({ prefix, entry: key })));
    }
  }
  return originOf(found);
}

/** An entry without a selector selects nothing. */
function selects(selector: LabelSelector | undefined, labels: Readonly<Record<string, string>>): boolean {
  return selector !== undefined && matchesSelector(selector, labels);
}

function addressesOf({ clusterIps, exposure }: ServiceRow, kind: BgpEntryRow['serviceAddresses'][number]): readonly string[] {
  if (kind === 'ClusterIP') return clusterIps;
  if (kind === 'ExternalIP') return exposure?.externalIps ?? [];
  return exposure?.loadBalancerIps ?? [];
}

function aggregate(address: string, lengths: BgpEntryRow['aggregation']): string[] {
  const ip = parseIp(address);
  if (ip === undefined) return [];
  const length = ip.family === 4 ? lengths.ipv4 : lengths.ipv6;
  return [(length === undefined ? hostCidr(ip) : new Cidr(ip, length)).toString()];
}

/** By prefix, each once, with its entries sorted; undefined when there is nothing. */
function originOf(found: readonly { prefix: string; entry: string }[]): BgpOriginRow | undefined {
  const byPrefix = Map.groupBy(found, ({ prefix }) => prefix);
  const prefixes = [...byPrefix].map(([prefix, all]) => ({ prefix, entries: [...new Set(all.map(({ entry }) => entry))].sort() }));
  return prefixes.length === 0 ? undefined : { prefixes: prefixes.filter(({ prefix }) => parseCidr(prefix) !== undefined) };
}
