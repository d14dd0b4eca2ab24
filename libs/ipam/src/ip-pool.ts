import { type Clock, CodedError } from '@isthmus/core';
import { type Cidr, type Family, type Ip, parseCidr, parseIp } from '@isthmus/net';
import { IpRange } from './ip-range.ts';
import {
  IPAM_ADDRESS_COOLING,
  IPAM_ADDRESS_TAKEN,
  IPAM_ADDRESS_UNUSABLE,
  IPAM_CIDR_IN_USE,
  IPAM_CIDR_INVALID,
  IPAM_CIDR_OVERLAP,
  IPAM_POOL_EXHAUSTED,
} from './ipam.errors.ts';

/** How long a released address is kept back: longer than caches of neighbours and names live. */
export const DEFAULT_REUSE_DELAY_MS = 60_000;

/** How a pool is made. */
export interface IpPoolOptions {
  /** Says in errors whose pool it is: the node's name. */
  name: string;
  cidrs: readonly string[];
  clock: Clock;
  /** {@link DEFAULT_REUSE_DELAY_MS} unless given. */
  reuseDelayMs?: number;
}

/** All that a pool knows besides its CIDRs; plain JSON. */
export interface IpPoolSnapshot {
  allocations: { ip: string; owner: string }[];
  /** Released addresses that are kept back, oldest first. The time in between snapshot and restore does not count. */
  cooling: { ip: string; owner: string; remainingMs: number }[];
  /** Where the search goes on, by CIDR. */
  cursors: Record<string, string>;
}

/** How full one CIDR is. */
export interface CidrUsage {
  cidr: string;
  /** Addresses that can be given out. */
  usable: bigint;
  used: number;
  cooling: number;
}

/**
 * Gives out addresses of one or more CIDRs, each to one owner at a time. Owners are names that the caller chooses; one owner may have
 * several addresses (one of each family, usually). All in memory: the caller persists {@link snapshot}, or adopts what it finds.
 */
export class IpPool {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #reuseDelayMs: number;
  readonly #ranges: IpRange[] = [];
  readonly #used = new Map<string, string>();
  readonly #byOwner = new Map<string, Set<string>>();
  /** In the order of their end: the delay is the same for all. */
  readonly #cooling = new Map<string, { owner: string; until: number }>();

  /** @throws CodedError IPAM_CIDR_INVALID, IPAM_CIDR_OVERLAP */
  constructor(options: IpPoolOptions) {
    this.#name = options.name;
    this.#clock = options.clock;
    this.#reuseDelayMs = options.reuseDelayMs ?? DEFAULT_REUSE_DELAY_MS;
    for (const cidr of options.cidrs) this.addCidr(cidr);
  }

  /** The pool's CIDRs, in the order in which they are used. */
  get cidrs(): string[] {
    return this.#ranges.map((range) => range.cidr.toString());
  }

  /** Owner of an address; undefined when it is free. */
  ownerOf(ip: string): string | undefined {
    return this.#used.get(ip);
  }

  /** Addresses of an owner. */
  addressesOf(owner: string): string[] {
    return [...(this.#byOwner.get(owner) ?? [])];
  }

  /**
   * Gives the owner an address, also when it has one already.
   * @returns canonical text
   * @throws CodedError IPAM_POOL_EXHAUSTED
   */
  allocate(owner: string, family: Family): string {
    this.#endCooling();
    for (const range of this.#ranges) {
      const ip = range.cidr.family === family ? range.next() : undefined;
      if (ip) return this.#give(ip, owner);
    }
    throw this.#exhausted(family);
  }

  /** What {@link allocate} would throw now; undefined when it would give an address. */
  shortage(family: Family): CodedError | undefined {
    const free = this.usage().some(({ cidr, usable, used, cooling }) => readCidr(cidr).family === family && used + cooling < usable);
    return free ? undefined : this.#exhausted(family);
  }

  /**
   * Gives the owner this address; fine when it has it.
   * @throws CodedError IPAM_ADDRESS_TAKEN, IPAM_ADDRESS_UNUSABLE, IPAM_ADDRESS_COOLING (not for the owner that had it last)
   */
  allocateExact(ip: string, owner: string): void {
    this.#endCooling();
    const address = this.#usableAddress(ip);
    const cooling = this.#cooling.get(address.toString());
    if (cooling && cooling.owner !== owner) throw this.#stillCooling(address, cooling);
    this.#claim(address, owner);
  }

  /**
   * Records an address that is in use already, as found at a restart: also one that is in no CIDR of the pool (any more). Fine when
   * the owner has it.
   * @throws CodedError IPAM_ADDRESS_TAKEN; IPAM_ADDRESS_UNUSABLE when the text is no address
   */
  adopt(ip: string, owner: string): void {
    this.#claim(this.#address(ip), owner);
  }

  /**
   * Takes an address back; it is kept for the re-use delay before anybody else gets it.
   * @returns false when it was free
   */
  release(ip: string): boolean {
    const address = parseIp(ip);
    const text = address?.toString() ?? ip;
    const owner = this.#used.get(text);
    if (!address || owner === undefined) return false;
    this.#used.delete(text);
    this.#forget(owner, text);
    if (this.#reuseDelayMs > 0) this.#cool(address, owner, this.#reuseDelayMs);
    else this.#rangeOf(address)?.free(address);
    return true;
  }

  /**
   * Takes all addresses of an owner back.
   * @returns the addresses
   */
  releaseOwner(owner: string): string[] {
    return this.addressesOf(owner).filter((ip) => this.release(ip));
  }

  /**
   * Adds a CIDR; fine when the pool has it.
   * @throws CodedError IPAM_CIDR_INVALID, IPAM_CIDR_OVERLAP
   */
  addCidr(text: string): void {
    const cidr = readCidr(text);
    const other = this.#ranges.find((range) => range.cidr.overlaps(cidr));
    if (other?.cidr.equals(cidr)) return;
    if (other) throw new CodedError(IPAM_CIDR_OVERLAP, `pool ${this.#name}: ${cidr} overlaps ${other.cidr}`, { object: cidr.toString() });
    const range = new IpRange(cidr);
    for (const ip of [...this.#used.keys(), ...this.#cooling.keys()]) range.take(parseIp(ip)!);
    this.#ranges.push(range);
  }

  /**
   * Removes a CIDR; its absence is fine. Addresses that are kept back stay so, should the CIDR return.
   * @throws CodedError IPAM_CIDR_IN_USE, IPAM_CIDR_INVALID
   */
  removeCidr(text: string): void {
    const cidr = readCidr(text);
    const at = this.#ranges.findIndex((range) => range.cidr.equals(cidr));
    if (at < 0) return;
    const used = this.#usedIn(cidr);
    if (used.length > 0) throw this.#inUse(cidr, used);
    this.#ranges.splice(at, 1);
  }

  /** How full each CIDR is. Walks over all addresses in use. */
  usage(): CidrUsage[] {
    this.#endCooling();
    return this.#ranges.map((range) => {
      const used = this.#usedIn(range.cidr).filter((ip) => range.usable(parseIp(ip)!)).length;
      return { cidr: range.cidr.toString(), usable: range.size, used, cooling: range.taken - used };
    });
  }

  /** All that a later pool needs in order to go on where this one is. */
  snapshot(): IpPoolSnapshot {
    this.#endCooling();
    const now = this.#clock.now();
    return {
      allocations: [...this.#used].map(([ip, owner]) => ({ ip, owner })),
      cooling: [...this.#cooling].map(([ip, { owner, until }]) => ({ ip, owner, remainingMs: until - now })),
      cursors: Object.fromEntries(this.#ranges.map((range) => [range.cidr.toString(), range.cursor.toString()])),
    };
  }

  /**
   * Takes over a snapshot, usually into a new pool. Its CIDRs may have changed in between.
   * @throws CodedError IPAM_ADDRESS_TAKEN, IPAM_ADDRESS_UNUSABLE when the snapshot contradicts itself or the pool
   */
  restore(snapshot: IpPoolSnapshot): void {
    for (const { ip, owner } of snapshot.allocations) this.adopt(ip, owner);
    for (const { ip, owner, remainingMs } of [...snapshot.cooling].sort((a, b) => a.remainingMs - b.remainingMs)) {
      if (!this.#used.has(ip)) this.#cool(this.#address(ip), owner, Math.min(remainingMs, this.#reuseDelayMs));
    }
    for (const range of this.#ranges) range.cursor = BigInt(snapshot.cursors[range.cidr.toString()] ?? range.cursor);
  }

  #give(address: Ip, owner: string): string {
    const ip = address.toString();
    this.#used.set(ip, owner);
    this.#cooling.delete(ip);
    const owned = this.#byOwner.get(owner);
    if (owned) owned.add(ip);
    else this.#byOwner.set(owner, new Set([ip]));
    this.#rangeOf(address)?.take(address);
    return ip;
  }

  #claim(address: Ip, owner: string): void {
    const ip = address.toString();
    const holder = this.#used.get(ip);
    if (holder === owner) return;
    if (holder !== undefined) {
      throw new CodedError(IPAM_ADDRESS_TAKEN, `pool ${this.#name}: ${ip} belongs to ${holder}, ${owner} cannot have it`, { object: ip });
    }
    this.#give(address, owner);
  }

  #forget(owner: string, ip: string): void {
    const owned = this.#byOwner.get(owner);
    owned?.delete(ip);
    if (owned?.size === 0) this.#byOwner.delete(owner);
  }

  #cool(address: Ip, owner: string, forMs: number): void {
    this.#cooling.set(address.toString(), { owner, until: this.#clock.now() + forMs });
    this.#rangeOf(address)?.take(address);
  }

  /** Frees what was kept back long enough: only a run at the front. */
  #endCooling(): void {
    const now = this.#clock.now();
    for (const [ip, { until }] of this.#cooling) {
      if (until > now) return;
      this.#cooling.delete(ip);
      const address = parseIp(ip)!;
      this.#rangeOf(address)?.free(address);
    }
  }

  #rangeOf(ip: Ip): IpRange | undefined {
    return this.#ranges.find((range) => range.cidr.contains(ip));
  }

  #usedIn(cidr: Cidr): string[] {
    return [...this.#used.keys()].filter((ip) => cidr.contains(parseIp(ip)!));
  }

  #address(text: string): Ip {
    const ip = parseIp(text);
    if (!ip) throw new CodedError(IPAM_ADDRESS_UNUSABLE, `pool ${this.#name}: ${JSON.stringify(text)} is no IP address`, { object: text });
    return ip;
  }

  #usableAddress(text: string): Ip {
    const ip = this.#address(text);
    const range = this.#rangeOf(ip);
    if (range?.usable(ip)) return ip;
    const why = range ? `is the network's own, gateway or broadcast address of ${range.cidr}` : `is in none of ${this.cidrs.join(', ')}`;
    throw new CodedError(IPAM_ADDRESS_UNUSABLE, `pool ${this.#name}: ${ip} ${why}`, { object: ip.toString() });
  }

  #stillCooling(ip: Ip, cooling: { owner: string; until: number }): CodedError {
    const seconds = Math.ceil((cooling.until - this.#clock.now()) / 1000);
    const message = `pool ${this.#name}: ${ip} was released by ${cooling.owner} and is kept back for another ${seconds} s`;
    return new CodedError(IPAM_ADDRESS_COOLING, message, { object: ip.toString() });
  }

  #inUse(cidr: Cidr, used: string[]): CodedError {
    const some = used.slice(0, 3).map((ip) => `${ip} (${this.#used.get(ip)})`);
    const more = used.length > 3 ? ` and ${used.length - 3} more` : '';
    return new CodedError(IPAM_CIDR_IN_USE, `pool ${this.#name}: ${cidr} is in use by ${some.join(', ')}${more}`, {
      object: cidr.toString(),
    });
  }

  #exhausted(family: Family): CodedError {
    const parts = this.usage()
      .filter(({ cidr }) => readCidr(cidr).family === family)
      .map(({ cidr, usable, used, cooling }) => `${cidr} (${usable} addresses: ${used} in use, ${cooling} released and kept back)`);
    const what = parts.length > 0 ? `no IPv${family} address is free in ${parts.join(', ')}` : `it has no IPv${family} CIDR`;
    const wait = this.#cooling.size > 0 ? `Wait: released addresses return after ${this.#reuseDelayMs / 1000} s. ` : '';
    return new CodedError(IPAM_POOL_EXHAUSTED, `pool ${this.#name}: ${what}`, {
      object: this.#name,
      action: `${wait}${IPAM_POOL_EXHAUSTED.action}`,
    });
  }
}

function readCidr(text: string): Cidr {
  const cidr = parseCidr(text);
  if (!cidr) throw new CodedError(IPAM_CIDR_INVALID, `${JSON.stringify(text)} is no CIDR`, { object: text });
  return cidr;
}
