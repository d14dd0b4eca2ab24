import { type CodedError, isCoded, LOG, type Log, type SinkFailures, type SinkRow, type SinkTarget } from '@isthmus/core';
import { type ResourceStore, SERVICE, type Service } from '@isthmus/model';
import { SERVICE_IP_EXHAUSTED } from '../operator.errors.ts';
import { rowByRow } from '../sinks/row-by-row.ts';
import { allocatedCondition, type ConditionClock, exhaustedCondition, withCondition } from '../status/condition.ts';
import type { ClusterIpLedger } from './cluster-ip-ledger.ts';
import type { ClusterIpRequest } from './cluster-ip-request.ts';

/** Type of the condition that tells of a service's cluster IP. */
const CONDITION = 'ClusterIPAllocated';

/** Gives services their cluster IPs, all families at once: a service that has one address keeps to it. */
export class ClusterIpTarget implements SinkTarget<ClusterIpRequest> {
  readonly #resources: ResourceStore;
  readonly #ledger: ClusterIpLedger;
  readonly #clock: ConditionClock;
  readonly #log: Log;

  constructor(resources: ResourceStore, ledger: ClusterIpLedger, clock: ConditionClock, log: Log) {
    this.#resources = resources;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#log = log;
  }

  update(rows: readonly SinkRow<ClusterIpRequest>[]): Promise<SinkFailures> {
    this.#ledger.catchUp();
    return rowByRow(
      rows.map(({ key, row }) => ({ key, item: row })),
      (row) => this.#serve(row),
    );
  }

  /** The request is served, or its service is gone: nothing is left to do. */
  delete(): undefined {}

  async #serve(request: ClusterIpRequest): Promise<void> {
    const ips: string[] = [];
    let exhausted: CodedError | undefined;
    for (const family of request.families) {
      try {
        ips.push(this.#ledger.give(`${request.namespace}/${request.name}`, family));
      } catch (error) {
        if (!isCoded(error, SERVICE_IP_EXHAUSTED)) throw error;
        exhausted = error;
      }
    }
    await this.#write(request, ips, exhausted);
    if (exhausted && ips.length === 0) throw exhausted;
    // Served with the other family: not tried again, so said here.
    if (exhausted) this.#log.warn({ [LOG.error]: exhausted }, 'gave a cluster IP of one family only');
  }

  async #write({ namespace, name }: ClusterIpRequest, ips: string[], exhausted: CodedError | undefined): Promise<void> {
    const condition = exhausted ? exhaustedCondition(CONDITION, exhausted) : allocatedCondition(CONDITION);
    let written = false;
    await this.#resources.update(SERVICE, name, namespace, (current) => {
      written = false;
      if (!current || current.spec.clusterIP || current.spec.clusterIPs?.length) return undefined;
      written = ips.length > 0;
      return withCondition(written ? withClusterIps(current, ips) : current, condition, this.#clock, !exhausted);
    });
    if (written) this.#log.info({ [LOG.service]: `${namespace}/${name}`, [LOG.ips]: ips }, 'gave cluster IPs');
  }
}

function withClusterIps(service: Service, ips: string[]): Service {
  const ipFamilies = ips.map((ip) => (ip.includes(':') ? ('IPv6' as const) : ('IPv4' as const)));
  return { ...service, spec: { ...service.spec, clusterIP: ips[0]!, clusterIPs: ips, ipFamilies } };
}
