import { LOCAL_SCOPE, type Store, type Table, type TableWriter } from '@isthmus/core';
import type { Family } from '@isthmus/net';
import type { OperatorServiceRow } from '../slices/service-row.ts';
import type { WantedConditions } from '../status/condition-target.ts';
import type { LoadBalancerPoolRow } from './load-balancer-pool.ts';
import { declareLoadBalancerPoolConditions } from './load-balancer-pool-conditions.ts';
import { declareLoadBalancerRequests, type LoadBalancerRequest } from './load-balancer-request.ts';

/** The tables of LB-IPAM: what is read, and what should be. */
export class LoadBalancerTables {
  readonly pools: TableWriter<LoadBalancerPoolRow>;
  readonly requests: Table<LoadBalancerRequest>;
  readonly poolConditions: Table<WantedConditions>;

  constructor(store: Store, services: Table<OperatorServiceRow>, families: readonly Family[]) {
    this.pools = store.table('load-balancer-pools');
    this.requests = declareLoadBalancerRequests(store, services, this.pools.table, families);
    this.poolConditions = declareLoadBalancerPoolConditions(store, services, this.pools.table);
  }

  /** The pools have been read. */
  get synced(): boolean {
    return this.pools.table.scopes.isSynced(LOCAL_SCOPE);
  }
}
