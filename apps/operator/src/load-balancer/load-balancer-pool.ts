import { AddressSpan, mergeSpans } from '@isthmus/ipam';
import type { CiliumLoadBalancerIPPool, LabelSelector, LoadBalancerBlock } from '@isthmus/model';
import { parseCidr, parseIp } from '@isthmus/net';

/** Addresses from one to another as text: rows are shown. */
export interface AddressBlock {
  readonly cidr: string;
  readonly first: string;
  readonly last: string;
  /** The network's first and last address are not given out. */
  readonly withoutEnds: boolean;
}

/** What the operator keeps of a CiliumLoadBalancerIPPool. */
export interface LoadBalancerPoolRow {
  readonly name: string;
  /** RFC 3339. */
  readonly created: string;
  readonly disabled: boolean;
  /** Undefined: all services. */
  readonly selector: LabelSelector | undefined;
  readonly blocks: readonly AddressBlock[];
}

/** The row of a pool. */
export function loadBalancerPoolRow({ metadata, spec }: CiliumLoadBalancerIPPool): LoadBalancerPoolRow {
  return {
    name: metadata.name,
    created: metadata.creationTimestamp ?? '',
    disabled: spec.disabled ?? false,
    selector: spec.serviceSelector,
    blocks: (spec.blocks ?? []).map((block) => blockOf(block, spec.allowFirstLastIPs === 'No')),
  };
}

function blockOf({ cidr = '', start = '', stop }: LoadBalancerBlock, withoutEnds: boolean): AddressBlock {
  return { cidr, first: start, last: stop ?? start, withoutEnds: withoutEnds && cidr !== '' };
}

const spans = new WeakMap<readonly AddressBlock[], readonly AddressSpan[]>();

/** The addresses of blocks, each once. Remembered as long as the row lives. */
export function spansOf(blocks: readonly AddressBlock[]): readonly AddressSpan[] {
  const known = spans.get(blocks);
  if (known) return known;
  const made = mergeSpans(blocks.map(spanOf));
  spans.set(blocks, made);
  return made;
}

function spanOf({ cidr, first, last, withoutEnds }: AddressBlock): AddressSpan {
  return cidr === '' ? new AddressSpan(parseIp(first)!, parseIp(last)!) : AddressSpan.ofCidr(parseCidr(cidr)!, !withoutEnds);
}

/** Whether one of the blocks has the address. */
export function hasAddress(blocks: readonly AddressBlock[], text: string): boolean {
  const ip = parseIp(text);
  return ip !== undefined && spansOf(blocks).some((span) => span.contains(ip));
}

/** An older pool that has addresses of this one, which gives out none therefore; undefined when there is none. */
export function conflictOf(pool: LoadBalancerPoolRow, all: Iterable<LoadBalancerPoolRow>): LoadBalancerPoolRow | undefined {
  for (const other of all) if (isOlder(other, pool) && overlap(other, pool)) return other;
  return undefined;
}

function isOlder(a: LoadBalancerPoolRow, b: LoadBalancerPoolRow): boolean {
  return a.created === b.created ? a.name < b.name : a.created < b.created;
}

function overlap(a: LoadBalancerPoolRow, b: LoadBalancerPoolRow): boolean {
  return spansOf(a.blocks).some((one) => spansOf(b.blocks).some((other) => one.overlaps(other)));
}
