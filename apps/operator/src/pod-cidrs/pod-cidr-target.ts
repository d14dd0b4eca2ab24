import { type CodedError, isCoded, LOG, type Log, type SinkFailures, type SinkRow, type SinkTarget } from '@isthmus/core';
import { IPAM_CLUSTER_EXHAUSTED } from '@isthmus/ipam';
import { CILIUM_NODE, type CiliumNode, type ResourceStore } from '@isthmus/model';
import type { Family } from '@isthmus/net';
import { rowByRow } from '../sinks/row-by-row.ts';
import { allocatedCondition, type ConditionClock, exhaustedCondition, withCondition } from '../status/condition.ts';
import type { PodCidrLedger } from './pod-cidr-ledger.ts';
import { missingFamilies, type PodCidrRequest } from './pod-cidr-request.ts';

/** Type of the condition that tells of a node's pod CIDRs. */
const CONDITION = 'PodCIDRsAllocated';

/** Gives nodes their pod CIDRs. What one family lacks does not keep the node from getting the other. */
export class PodCidrTarget implements SinkTarget<PodCidrRequest> {
  readonly #resources: ResourceStore;
  readonly #ledger: PodCidrLedger;
  readonly #clock: ConditionClock;
  readonly #log: Log;

  constructor(resources: ResourceStore, ledger: PodCidrLedger, clock: ConditionClock, log: Log) {
    this.#resources = resources;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#log = log;
  }

  update(rows: readonly SinkRow<PodCidrRequest>[]): Promise<SinkFailures> {
    this.#ledger.catchUp();
    return rowByRow(
      rows.map(({ key, row }) => ({ key, item: row })),
      (row) => this.#serve(row),
    );
  }

  /** The request is served, or its node is gone: nothing is left to do. */
  delete(): undefined {}

  async #serve({ node, families }: PodCidrRequest): Promise<void> {
    const given = new Map<Family, string>();
    let exhausted: CodedError | undefined;
    for (const family of families) {
      try {
        given.set(family, this.#ledger.give(node, family));
      } catch (error) {
        if (!isCoded(error, IPAM_CLUSTER_EXHAUSTED)) throw error;
        exhausted = error;
      }
    }
    await this.#write(node, given, exhausted);
    if (exhausted) throw exhausted;
  }

  async #write(node: string, given: ReadonlyMap<Family, string>, exhausted: CodedError | undefined): Promise<void> {
    const condition = exhausted ? exhaustedCondition(CONDITION, exhausted) : allocatedCondition(CONDITION);
    let added: readonly string[] = [];
    await this.#resources.update(CILIUM_NODE, node, undefined, (current) => {
      if (!current) return undefined;
      const present = current.spec.ipam?.podCIDRs ?? [];
      added = missingFamilies(present, [...given.keys()]).map((family) => given.get(family)!);
      const next = added.length === 0 ? current : withCidrs(current, [...present, ...added]);
      return withCondition(next, condition, this.#clock, !exhausted);
    });
    if (added.length > 0) this.#log.info({ [LOG.node]: node, [LOG.cidrs]: added }, 'gave pod CIDRs');
  }
}

function withCidrs(node: CiliumNode, podCIDRs: string[]): CiliumNode {
  return { ...node, spec: { ...node.spec, ipam: { ...node.spec.ipam, podCIDRs } } };
}
