import { type Clock, CodedError, isCoded, type Table } from '@isthmus/core';
import { IPAM_ADDRESS_TAKEN, IPAM_POOL_EXHAUSTED, IpPool } from '@isthmus/ipam';
import type { Cidr, Family } from '@isthmus/net';
import { SERVICE_IP_CONFLICT, SERVICE_IP_EXHAUSTED } from '../operator.errors.ts';
import { TableFollower } from '../sinks/follow-table.ts';
import type { OperatorServiceRow } from '../slices/service-row.ts';

/**
 * Which cluster IPs are in use: what the table of services says, whoever gave it, and what was given and the table does not show yet. Must
 * not be asked before the table is complete.
 */
export class ClusterIpLedger {
  readonly #pool: IpPool;
  readonly #ranges: ReadonlyMap<Family, Cidr>;
  readonly #services: TableFollower<OperatorServiceRow>;
  readonly #onConflict: (error: CodedError) => void;
  readonly #known = new Set<string>();

  /** @param onConflict hears of a service whose address another has; neither is changed */
  constructor(
    services: Table<OperatorServiceRow>,
    ranges: ReadonlyMap<Family, Cidr>,
    clock: Clock,
    onConflict: (error: CodedError) => void,
  ) {
    this.#services = new TableFollower(services);
    this.#ranges = ranges;
    this.#onConflict = onConflict;
    this.#pool = new IpPool({ name: 'cluster IPs', cidrs: [...ranges.values()].map(String), clock });
  }

  /** Takes in what the table says now. */
  catchUp(): void {
    this.#services.catchUp(
      () => this.#known,
      (key, row) => {
        if (row) this.#adopt(key, row.clusterIps);
        else this.#release(key);
      },
    );
  }

  /**
   * The service's address of a family; the same again until the table shows what became of it.
   * @throws CodedError SERVICE_IP_EXHAUSTED
   */
  give(service: string, family: Family): string {
    this.#known.add(service);
    const range = this.#ranges.get(family)!;
    const had = this.#pool.addressesOf(service).find((ip) => ip.includes(':') === (family === 6));
    if (had !== undefined) return had;
    try {
      return this.#pool.allocate(service, family);
    } catch (cause) {
      if (!isCoded(cause, IPAM_POOL_EXHAUSTED)) throw cause;
      const message = `service ${service} gets no IPv${family} cluster IP: no address of ${range} is free`;
      throw new CodedError(SERVICE_IP_EXHAUSTED, message, { object: service, cause });
    }
  }

  #adopt(key: string, clusterIps: readonly string[]): void {
    this.#known.add(key);
    if (clusterIps.length === 0) return;
    for (const ip of this.#pool.addressesOf(key)) if (!clusterIps.includes(ip)) this.#pool.release(ip);
    for (const ip of clusterIps) {
      try {
        this.#pool.adopt(ip, key);
      } catch (cause) {
        if (!isCoded(cause, IPAM_ADDRESS_TAKEN)) throw cause;
        const message = `services ${key} and ${this.#pool.ownerOf(ip)} have the same cluster IP ${ip}`;
        this.#onConflict(new CodedError(SERVICE_IP_CONFLICT, message, { object: key, cause }));
      }
    }
  }

  #release(key: string): void {
    this.#known.delete(key);
    this.#pool.releaseOwner(key);
  }
}
