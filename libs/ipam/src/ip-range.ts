import { Cidr, type Ip } from '@isthmus/net';

/**
 * The addresses of one CIDR, by their position in it. Keeps only the positions that are taken, so that a /64 costs nothing.
 *
 * Searches go on from where the last one ended (next fit): freed addresses are used again as late as possible, and a search passes
 * only over what is taken between there and the next free one.
 */
export class IpRange {
  readonly cidr: Cidr;
  readonly #first: bigint;
  readonly #last: bigint;
  readonly #taken = new Set<bigint>();
  #cursor: bigint;

  constructor(cidr: Cidr) {
    this.cidr = cidr;
    [this.#first, this.#last] = usableSpan(cidr);
    this.#cursor = this.#first;
  }

  /** Number of addresses that can be given out. */
  get size(): bigint {
    return this.#last < this.#first ? 0n : this.#last - this.#first + 1n;
  }

  /** Number of addresses that are taken. */
  get taken(): number {
    return this.#taken.size;
  }

  /** Where the next search starts; for snapshots. */
  get cursor(): bigint {
    return this.#cursor;
  }

  set cursor(position: bigint) {
    if (position >= this.#first && position <= this.#last) this.#cursor = position;
  }

  /** True when the address lies in the CIDR and is not kept back for the network itself. */
  usable(ip: Ip): boolean {
    const position = this.cidr.indexOf(ip);
    return position !== undefined && position >= this.#first && position <= this.#last;
  }

  /** The next free address, which is not taken by this call; undefined when there is none. */
  next(): Ip | undefined {
    if (BigInt(this.#taken.size) >= this.size) return undefined;
    while (this.#taken.has(this.#cursor)) this.#advance();
    const ip = this.cidr.nth(this.#cursor);
    this.#advance();
    return ip;
  }

  /** Marks an address as taken. One that is not usable is none of this range's business. */
  take(ip: Ip): void {
    if (this.usable(ip)) this.#taken.add(this.cidr.indexOf(ip)!);
  }

  /** Marks an address as free. */
  free(ip: Ip): void {
    const position = this.cidr.indexOf(ip);
    if (position !== undefined) this.#taken.delete(position);
  }

  #advance(): void {
    this.#cursor = this.#cursor === this.#last ? this.#first : this.#cursor + 1n;
  }
}

/**
 * First and last position that pods can have. Kept back: the network's own address (in IPv6 the subnet-router anycast address,
 * RFC 4291 §2.6.1), the gateway behind it, and in IPv4 the broadcast address. Networks of one or two addresses have none of these
 * (RFC 3021, RFC 6164).
 */
function usableSpan(cidr: Cidr): [bigint, bigint] {
  const last = cidr.size - 1n;
  if (cidr.size <= 2n) return [0n, last];
  return [2n, cidr.family === 4 ? last - 1n : last];
}

/** The address that {@link IpRange} keeps back as the gateway of a pod CIDR; undefined for networks too small to have one. */
export function gatewayOf(cidr: Cidr): Ip | undefined {
  return cidr.size <= 2n ? undefined : cidr.nth(1n);
}
