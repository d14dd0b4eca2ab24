import { CodedError, type Table } from '@isthmus/core';
import { AddressClaims } from '@isthmus/ipam';
import { type Family, parseIp } from '@isthmus/net';
import { LB_IP_EXHAUSTED, LB_IP_OUTSIDE, LB_IP_TAKEN, LB_NO_POOL } from '../operator.errors.ts';
import { TableFollower } from '../sinks/follow-table.ts';
import type { OperatorServiceRow } from '../slices/service-row.ts';
import { hasAddress, spansOf } from './load-balancer-pool.ts';
import type { LoadBalancerRequest } from './load-balancer-request.ts';

/** What a service shall have. */
export interface LoadBalancerGrant {
  readonly ips: readonly string[];
  /** Why that is not all it wants. */
  readonly problem: CodedError | undefined;
}

/**
 * Which addresses of load balancers are in use: what the table of services says, and what was given and the table does not show yet. An
 * address is free for others only when the table shows that its service has it no more. Must not be asked before the table is complete.
 */
export class LoadBalancerLedger {
  readonly #claims = new AddressClaims();
  readonly #services: TableFollower<OperatorServiceRow>;
  readonly #shown = new Map<string, readonly string[]>();
  /** Given, and not shown yet. */
  readonly #given = new Map<string, readonly string[]>();

  constructor(services: Table<OperatorServiceRow>) {
    this.#services = new TableFollower(services);
  }

  /** Takes in what the table says now. */
  catchUp(): void {
    this.#services.catchUp(
      () => this.#shown.keys(),
      (key, row) => {
        if (row?.loadBalancer) this.#show(key, row.loadBalancer.ips);
        else this.#forget(key);
      },
    );
  }

  /** What the service shall have; the same again until something changes. */
  grant(request: LoadBalancerRequest): LoadBalancerGrant {
    const key = `${request.namespace}/${request.name}`;
    const grant = !request.wanted ? NOTHING : request.asked.length > 0 ? this.#asked(key, request) : this.#any(key, request);
    this.#given.set(key, grant.ips);
    this.#releaseRest(key);
    return grant;
  }

  #show(key: string, ips: readonly string[]): void {
    this.#shown.set(key, ips);
    this.#given.set(
      key,
      (this.#given.get(key) ?? []).filter((ip) => !ips.includes(ip)),
    );
    this.#releaseRest(key);
    // One that another service has already stays there; this one is given another.
    for (const ip of ips) this.#claims.claim(ip, key);
  }

  #forget(key: string): void {
    this.#shown.delete(key);
    this.#given.delete(key);
    this.#releaseRest(key);
  }

  #releaseRest(key: string): void {
    const [shown, given] = [this.#shown.get(key) ?? [], this.#given.get(key) ?? []];
    for (const ip of this.#claims.addressesOf(key)) if (!shown.includes(ip) && !given.includes(ip)) this.#claims.release(ip);
  }

  #asked(key: string, { asked, pools }: LoadBalancerRequest): LoadBalancerGrant {
    const ips: string[] = [];
    let problem: CodedError | undefined;
    for (const ip of asked) {
      const owner = this.#claims.ownerOf(ip);
      const there = pools.some(({ open, blocks }) => (open || owner === key) && hasAddress(blocks, ip));
      if (!there) {
        problem ??= new CodedError(LB_IP_OUTSIDE, `service ${key} asks for ${ip}, which is in no pool for it`, { object: key });
      } else if (!this.#claims.claim(ip, key)) {
        problem ??= new CodedError(LB_IP_TAKEN, `service ${key} asks for ${ip}, which ${owner} has`, { object: key });
      } else ips.push(ip);
    }
    return { ips, problem };
  }

  #any(key: string, request: LoadBalancerRequest): LoadBalancerGrant {
    const ips: string[] = [];
    const poolless: Family[] = [];
    let problem: CodedError | undefined;
    for (const family of request.families) {
      const ip = this.#kept(key, family, request) ?? this.#fresh(key, family, request);
      if (ip === undefined) poolless.push(family);
      else if (ip === 'exhausted') problem ??= exhausted(key, family, request);
      else ips.push(ip);
    }
    // A family that no pool has is missed only where nothing else is to be had.
    if (poolless.length > 0 && (request.dualStack || ips.length === 0)) problem ??= noPool(key, poolless);
    return { ips, problem };
  }

  /** An address stays as long as a pool has it, also one that gives out none any more. */
  #kept(key: string, family: Family, { pools }: LoadBalancerRequest): string | undefined {
    return this.#claims.addressesOf(key).find((ip) => parseIp(ip)?.family === family && pools.some(({ blocks }) => hasAddress(blocks, ip)));
  }

  #fresh(key: string, family: Family, { pools }: LoadBalancerRequest): string | 'exhausted' | undefined {
    const spans = pools.filter(({ open }) => open).flatMap(({ blocks }) => spansOf(blocks).filter((span) => span.family === family));
    if (spans.length === 0) return undefined;
    for (const span of spans) {
      const ip = this.#claims.nextFree(span)?.toString();
      if (ip !== undefined && this.#claims.claim(ip, key)) return ip;
    }
    return 'exhausted';
  }
}

const NOTHING: LoadBalancerGrant = { ips: [], problem: undefined };

function exhausted(key: string, family: Family, { pools }: LoadBalancerRequest): CodedError {
  const names = pools.filter(({ open }) => open).map(({ name }) => name);
  return new CodedError(LB_IP_EXHAUSTED, `service ${key}: no IPv${family} address is free in ${names.join(', ')}`, { object: key });
}

function noPool(key: string, families: readonly Family[]): CodedError {
  const wanted = families.map((family) => `IPv${family}`).join(' and ');
  return new CodedError(LB_NO_POOL, `service ${key}: no pool has ${wanted} addresses for it`, { object: key });
}
