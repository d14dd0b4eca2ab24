import type { Cidr } from '@isthmus/net';
import { AddressSpan } from './address-span.ts';

/**
 * The first network of prefix length `length` inside `network` that shares no address with what is taken; undefined when there is none. What
 * is taken may be larger, smaller, or elsewhere.
 */
export function freeSubnet(network: Cidr, length: number, taken: Iterable<Cidr>): Cidr | undefined {
  if (length < network.length) return undefined;
  const first = network.subnet(length, 0);
  const base = AddressSpan.ofCidr(network).first;
  const count = network.size / first.size;
  const blocked = [...taken]
    .filter((cidr) => cidr.overlaps(network))
    .map((cidr) => AddressSpan.ofCidr(cidr))
    .sort((a, b) => (a.first < b.first ? -1 : 1));
  let at = 0n;
  for (const span of blocked) {
    const start = base + at * first.size;
    if (span.first >= start + first.size) break; // all further ones are behind
    if (span.last >= start) at = (span.last - base) / first.size + 1n;
  }
  return at < count ? network.subnet(length, at) : undefined;
}
