import { LOG, type Log, type SinkFailures, type SinkRow, type SinkTarget } from '@isthmus/core';
import { CILIUM_NODE, type CiliumNode, type ResourceStore } from '@isthmus/model';
import { rowByRow } from '../sinks/row-by-row.ts';
import { allocatedCondition, type ConditionClock, exhaustedCondition, withCondition } from '../status/condition.ts';
import type { PodPoolGrant, PodPoolLedger, PodPoolShare } from './pod-pool-ledger.ts';
import type { PodPoolRequest } from './pod-pool-request.ts';

/** Type of the condition that tells of a node's shares of pod pools. */
const CONDITION = 'PodIPPoolsAllocated';

/** Gives nodes the shares of pod pools that they ask for. What a node gives back it takes out of its record itself. */
export class PodPoolTarget implements SinkTarget<PodPoolRequest> {
  readonly #resources: ResourceStore;
  readonly #ledger: PodPoolLedger;
  readonly #clock: ConditionClock;
  readonly #log: Log;

  constructor(resources: ResourceStore, ledger: PodPoolLedger, clock: ConditionClock, log: Log) {
    this.#resources = resources;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#log = log;
  }

  update(rows: readonly SinkRow<PodPoolRequest>[]): Promise<SinkFailures> {
    this.#ledger.catchUp();
    return rowByRow(
      rows.map(({ key, row }) => ({ key, item: row })),
      (row) => this.#serve(row),
    );
  }

  /** The request is served, or its node is gone: nothing is left to do. */
  delete(): undefined {}

  async #serve(request: PodPoolRequest): Promise<void> {
    const grant = this.#ledger.grant(request);
    await this.#write(request.node, grant);
    if (grant.problem) throw grant.problem; // others may give something back
  }

  async #write(node: string, { shares, problem }: PodPoolGrant): Promise<void> {
    const condition = problem ? exhaustedCondition(CONDITION, problem) : allocatedCondition(CONDITION);
    let added: readonly PodPoolShare[] = [];
    await this.#resources.update(CILIUM_NODE, node, undefined, (current) => {
      if (!current) return undefined;
      const present = new Set((current.spec.ipam?.pools?.allocated ?? []).flatMap(({ cidrs = [] }) => cidrs));
      added = shares.filter(({ cidr }) => !present.has(cidr));
      return withCondition(added.reduce(withShare, current), condition, this.#clock, !problem);
    });
    if (added.length > 0) this.#log.info({ [LOG.node]: node, [LOG.cidrs]: added.map(({ cidr }) => cidr) }, 'gave shares of pod pools');
  }
}

function withShare(node: CiliumNode, { pool, cidr }: PodPoolShare): CiliumNode {
  const { ipam } = node.spec;
  const allocated = ipam?.pools?.allocated ?? [];
  const present = allocated.find((each) => each.pool === pool);
  const next = present
    ? allocated.map((each) => (each === present ? { ...each, cidrs: [...(each.cidrs ?? []), cidr] } : each))
    : [...allocated, { pool, cidrs: [cidr] }];
  return { ...node, spec: { ...node.spec, ipam: { ...ipam, pools: { ...ipam?.pools, allocated: next } } } };
}
