import { type Cidr, type Family, type Ip, parseCidr } from '@isthmus/net';

/** All addresses of a family, whose positions are their numbers. */
const WHOLE: Readonly<Record<Family, Cidr>> = { 4: parseCidr('0.0.0.0/0')!, 6: parseCidr('::/0')! };

/** Addresses from one to another, both included. Never changes. */
export class AddressSpan {
  readonly family: Family;
  /** The first address as a number. */
  readonly first: bigint;
  /** The last address as a number. */
  readonly last: bigint;

  /** @throws RangeError when they are of two families, or in the wrong order */
  constructor(first: Ip, last: Ip) {
    this.family = first.family;
    [this.first, this.last] = [numberOf(first), numberOf(last)];
    if (first.family !== last.family || this.last < this.first) throw new RangeError(`there are no addresses from ${first} to ${last}`);
  }

  /** The addresses of a network. @param ends false: without the first and the last, unless it has no more than two */
  static ofCidr(cidr: Cidr, ends = true): AddressSpan {
    const cut = ends || cidr.size <= 2n ? 0n : 1n;
    return new AddressSpan(cidr.nth(cut), cidr.nth(cidr.size - 1n - cut));
  }

  /** How many there are. */
  get size(): bigint {
    return this.last - this.first + 1n;
  }

  contains(ip: Ip): boolean {
    if (ip.family !== this.family) return false;
    const number = numberOf(ip);
    return number >= this.first && number <= this.last;
  }

  /** True when both have an address in common. */
  overlaps(other: AddressSpan): boolean {
    return this.family === other.family && this.first <= other.last && other.first <= this.last;
  }
}

/** The number of an address: 0 for 0.0.0.0 and for ::. */
export function numberOf(ip: Ip): bigint {
  return WHOLE[ip.family].indexOf(ip)!;
}

/** The address of a number. @throws RangeError when the family has none */
export function addressOfNumber(family: Family, number: bigint): Ip {
  return WHOLE[family].nth(number);
}

/** The same addresses, each once, in order: IPv4 first. */
export function mergeSpans(spans: readonly AddressSpan[]): AddressSpan[] {
  const ordered = [...spans].sort((a, b) => a.family - b.family || (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: AddressSpan[] = [];
  for (const span of ordered) {
    const before = merged.at(-1);
    if (!before || before.family !== span.family || span.first > before.last + 1n) merged.push(span);
    else if (span.last > before.last) merged[merged.length - 1] = joined(before, span);
  }
  return merged;
}

function joined(from: AddressSpan, to: AddressSpan): AddressSpan {
  return new AddressSpan(addressOfNumber(from.family, from.first), addressOfNumber(to.family, to.last));
}
