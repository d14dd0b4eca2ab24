import type { Clock, CodedError } from '@isthmus/core';
import { IpPool } from '@isthmus/ipam';
import { parseCidr } from '@isthmus/net';
import type { NodeIpam, PodAddresses } from '../endpoint/endpoint-ports.ts';

/** Addresses out of the node's pod CIDRs: one of each family that the node has a CIDR of. */
export class PodCidrIpam implements NodeIpam {
  readonly #pool: IpPool;
  #families: readonly (4 | 6)[] = [];

  constructor(clock: Clock, reuseDelayMs: number) {
    this.#pool = new IpPool({ name: 'pod addresses', cidrs: [], clock, reuseDelayMs });
  }

  /** Adds CIDRs that are new. Those that are gone stay usable: pods may have addresses of them. */
  setCidrs(cidrs: readonly string[]): void {
    const known = new Set(this.#pool.cidrs);
    for (const cidr of cidrs) if (!known.has(cidr)) this.#pool.addCidr(cidr);
    this.#families = ([4, 6] as const).filter((family) => this.#pool.cidrs.some((cidr) => parseCidr(cidr)?.family === family));
  }

  allocate(owner: string): PodAddresses {
    const given: PodAddresses = { ipv4: '', ipv6: '' };
    try {
      for (const family of this.#families) given[`ipv${family}`] = this.#pool.allocate(owner, family);
      return given;
    } catch (error) {
      this.release(owner);
      throw error;
    }
  }

  adopt(owner: string, { ipv4, ipv6 }: PodAddresses): void {
    for (const ip of [ipv4, ipv6]) if (ip !== '') this.#pool.adopt(ip, owner);
  }

  shortage(): CodedError | undefined {
    for (const family of this.#families) {
      const shortage = this.#pool.shortage(family);
      if (shortage) return shortage;
    }
    return undefined;
  }

  release(owner: string): void {
    for (const ip of this.#pool.addressesOf(owner)) this.#pool.release(ip);
  }
}
