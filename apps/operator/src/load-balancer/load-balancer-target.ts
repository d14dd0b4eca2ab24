import { type CodedError, isCoded, LOG, type Log, type SinkFailures, type SinkRow, type SinkTarget } from '@isthmus/core';
import { type ResourceStore, SERVICE, type Service } from '@isthmus/model';
import { LB_IP_EXHAUSTED, LB_IP_TAKEN } from '../operator.errors.ts';
import { rowByRow } from '../sinks/row-by-row.ts';
import { allocatedCondition, type ConditionClock, exhaustedCondition, withCondition, withoutCondition } from '../status/condition.ts';
import type { LoadBalancerGrant, LoadBalancerLedger } from './load-balancer-ledger.ts';
import type { LoadBalancerRequest } from './load-balancer-request.ts';
import { loadBalancerWish, REQUEST_SATISFIED } from './load-balancer-wish.ts';

/** Writes the addresses of load balancers into the status of their services. */
export class LoadBalancerTarget implements SinkTarget<LoadBalancerRequest> {
  readonly #resources: ResourceStore;
  readonly #ledger: LoadBalancerLedger;
  readonly #clock: ConditionClock;
  readonly #log: Log;

  constructor(resources: ResourceStore, ledger: LoadBalancerLedger, clock: ConditionClock, log: Log) {
    this.#resources = resources;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#log = log;
  }

  update(rows: readonly SinkRow<LoadBalancerRequest>[]): Promise<SinkFailures> {
    this.#ledger.catchUp();
    return rowByRow(
      rows.map(({ key, row }) => ({ key, item: row })),
      (row) => this.#serve(row),
    );
  }

  /** The service is gone, or none of our business any more. */
  delete(): undefined {}

  async #serve(request: LoadBalancerRequest): Promise<void> {
    const grant = this.#ledger.grant(request);
    await this.#write(request, grant);
    // Others may free an address; what a pool lacks comes as a change of the request.
    if (isCoded(grant.problem, LB_IP_EXHAUSTED) || isCoded(grant.problem, LB_IP_TAKEN)) throw grant.problem;
  }

  async #write({ namespace, name, wanted }: LoadBalancerRequest, { ips, problem }: LoadBalancerGrant): Promise<void> {
    let written = false;
    await this.#resources.update(SERVICE, name, namespace, (current) => {
      written = false;
      if (!current || (loadBalancerWish(current)?.wanted ?? false) !== wanted) return undefined; // it has changed, and comes again
      const next = withIngress(current, ips);
      written = next !== current;
      return wanted ? withCondition(next, conditionOf(problem), this.#clock) : withoutCondition(next, REQUEST_SATISFIED);
    });
    if (written) this.#log.info({ [LOG.service]: `${namespace}/${name}`, [LOG.ips]: ips }, 'set the addresses of a load balancer');
  }
}

function conditionOf(problem: CodedError | undefined) {
  return problem ? exhaustedCondition(REQUEST_SATISFIED, problem) : allocatedCondition(REQUEST_SATISFIED);
}

/** The service with these addresses; itself when it has them. What it says of an address that stays is kept. */
function withIngress(service: Service, ips: readonly string[]): Service {
  const before = service.status?.loadBalancer?.ingress ?? [];
  if (before.length === ips.length && before.every(({ ip }, index) => ip === ips[index])) return service;
  const ingress = ips.map((ip) => before.find((entry) => entry.ip === ip) ?? { ip, ipMode: 'VIP' });
  return { ...service, status: { ...service.status, loadBalancer: { ...service.status?.loadBalancer, ingress } } };
}
