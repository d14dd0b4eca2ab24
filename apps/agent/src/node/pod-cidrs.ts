import { CodedError } from '@isthmus/core';
import { type Family, parseCidr } from '@isthmus/net';
import { AGENT_NOT_READY } from '../agent.errors.ts';
import type { NodeFacts, PodAddresses } from '../endpoint/endpoint-ports.ts';

/** The node's pod CIDRs once they are known, and what follows from them. */
export class PodCidrs implements NodeFacts {
  readonly podMtu: number;
  /** Why the operator gives none, in its words; undefined while it has not refused. */
  refusal: string | undefined;
  readonly #families: readonly Family[];
  #cidrs: readonly string[] = [];
  #gateway: PodAddresses | undefined;

  /** @param families those that pods have: each needs a CIDR */
  constructor(podMtu: number, families: readonly Family[] = []) {
    this.podMtu = podMtu;
    this.#families = families;
  }

  get all(): readonly string[] {
    return this.#cidrs;
  }

  /** A node with a CIDR of one family alone would give its pods half of their addresses, and never the other half. */
  get known(): boolean {
    return this.#cidrs.length > 0 && this.#families.every((family) => firstAddress(this.#cidrs, family) !== '');
  }

  set(cidrs: readonly string[]): void {
    this.#cidrs = cidrs;
  }

  /**
   * The first address of each family's first CIDR: the host's own address among its pods, and their gateway. What it was when first asked
   * stays until the agent is started again: programs, devices and pods have it.
   */
  gateway(): PodAddresses {
    if (!this.known) throw new CodedError(AGENT_NOT_READY, 'the agent waits for its pod CIDRs', { object: 'pod CIDRs' });
    this.#gateway ??= { ipv4: firstAddress(this.#cidrs, 4), ipv6: firstAddress(this.#cidrs, 6) };
    return this.#gateway;
  }
}

function firstAddress(cidrs: readonly string[], family: 4 | 6): string {
  for (const text of cidrs) {
    const cidr = parseCidr(text);
    if (cidr?.family === family) return cidr.nth(1n).toString();
  }
  return '';
}
