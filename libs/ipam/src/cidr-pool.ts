import { CodedError } from '@isthmus/core';
import { Cidr, familyBits, parseCidr } from '@isthmus/net';
import { IPAM_CIDR_INVALID } from './ipam.errors.ts';

/** A CIDR of the cluster that is cut into equal ones for nodes. */
export interface CidrPoolOptions {
  /** `cluster-pool-ipv4-cidr`, `cluster-pool-ipv6-cidr`. */
  cidr: string;
  /** Prefix length of a node's part: `cluster-pool-ipv4-mask-size`, `cluster-pool-ipv6-mask-size`. */
  maskSize: number;
}

/** Cuts one CIDR into parts of equal size and finds free ones, going on from where the last search ended. */
export class CidrPool {
  readonly cidr: Cidr;
  readonly maskSize: number;
  readonly #taken = new Map<bigint, number>();
  #cursor = 0n;

  /** @throws CodedError IPAM_CIDR_INVALID */
  constructor(options: CidrPoolOptions) {
    const cidr = parseCidr(options.cidr);
    if (!cidr) throw invalid(options, 'the text is no CIDR');
    const { maskSize } = options;
    if (!Number.isInteger(maskSize) || maskSize < cidr.length || maskSize > familyBits(cidr.family)) {
      throw invalid(options, `the mask size must lie between ${cidr.length} and ${familyBits(cidr.family)}`);
    }
    this.cidr = cidr;
    this.maskSize = maskSize;
  }

  /** Number of parts. */
  get size(): bigint {
    return 1n << BigInt(this.maskSize - this.cidr.length);
  }

  /** Number of parts that are taken, wholly or in part, by something of the same or a smaller size. */
  get taken(): number {
    return this.#taken.size;
  }

  /**
   * The next free part, which is not taken by this call; undefined when there is none.
   * @param larger what is taken by CIDRs larger than a part; see {@link isLarger}
   */
  next(larger: readonly Cidr[]): Cidr | undefined {
    if (BigInt(this.#taken.size) >= this.size) return undefined;
    const start = this.#cursor;
    let wrapped = false;
    for (let at = start; !wrapped || at < start; ) {
      const part = this.cidr.subnet(this.maskSize, at);
      const blocker = larger.find((cidr) => cidr.covers(part));
      const free = !blocker && !this.#taken.has(at);
      at = blocker ? this.#behind(blocker) : at + 1n;
      if (at >= this.size) [at, wrapped] = [0n, true];
      if (free) {
        this.#cursor = at;
        return part;
      }
    }
    return undefined;
  }

  /** True for a CIDR that covers more than one part, as one does that was given out with another mask size. */
  isLarger(cidr: Cidr): boolean {
    return cidr.length < this.maskSize && cidr.overlaps(this.cidr);
  }

  /** Marks the part that holds `cidr` as taken. Something larger, or elsewhere, is not this pool's business. */
  take(cidr: Cidr): void {
    const part = this.#partOf(cidr);
    if (part !== undefined) this.#taken.set(part, (this.#taken.get(part) ?? 0) + 1);
  }

  /** The reverse of {@link take}, once for each. */
  free(cidr: Cidr): void {
    const part = this.#partOf(cidr);
    const count = part === undefined ? undefined : this.#taken.get(part);
    if (part === undefined || count === undefined) return;
    if (count > 1) this.#taken.set(part, count - 1);
    else this.#taken.delete(part);
  }

  #partOf(cidr: Cidr): bigint | undefined {
    if (cidr.length < this.maskSize) return undefined;
    const position = this.cidr.indexOf(cidr.address);
    return position === undefined ? undefined : position >> this.#partBits();
  }

  /** Number of the first part behind a larger CIDR. */
  #behind(larger: Cidr): bigint {
    if (larger.covers(this.cidr)) return this.size;
    const end = this.cidr.indexOf(larger.address)! + larger.size;
    return end >> this.#partBits();
  }

  #partBits(): bigint {
    return BigInt(familyBits(this.cidr.family) - this.maskSize);
  }
}

function invalid(options: CidrPoolOptions, why: string): CodedError {
  const object = `${options.cidr} with mask size ${options.maskSize}`;
  return new CodedError(IPAM_CIDR_INVALID, `cluster pool ${object} cannot be used: ${why}`, { object });
}
